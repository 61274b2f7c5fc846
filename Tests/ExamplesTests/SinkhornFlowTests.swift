import Examples
import Testing

@Suite struct SinkhornFlowTests {
    @Test func divergenceVanishes() throws {
        let numbers = try Examples.named("sinkhorn-flow")!.run().numbers
        #expect(numbers["end"]! >= 0)
        #expect(numbers["end"]! < 0.002 * numbers["start"]!)
    }
}
