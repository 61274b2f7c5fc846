import Examples
import Testing

/// The worked examples' results.
@Suite struct ExampleTests {
    @Test func kernelDensity() throws {
        let result = try Examples.named("kernel-density")!.run()
        #expect(result.numbers["bandwidth"]! == 0.4 || result.numbers["bandwidth"]! == 0.8)
    }
}
