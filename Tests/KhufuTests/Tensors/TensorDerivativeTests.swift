import Testing

@testable import Khufu

/// The walk back: what is recorded, what is not, and how long it is kept. The derivative of each operation is tested with its values.
struct TensorDerivativeTests {
    typealias T = Tensor<Double>

    @Test func whatIsTracked() throws {
        let x: T = [1, 2]
        #expect(!x.isTracked && !(x + 1).isTracked && x.tracked().isTracked)
        let y = x.tracked()
        #expect((y * 2).isTracked && !(y * 2).detached().isTracked && !y.sign().isTracked)
        #expect(try (y.detached() * 2 + y).isTracked)
    }

    @Test func severalTensorsAtOnce() throws {
        let (x, y) = (T([1, 2]).tracked(), T([3, 5]).tracked())
        let product = try x * y
        let value = try (product * x).sum()  // Σ x² y
        let slopes = try gradient(of: value, withRespectTo: [x, y, product, x])
        expectNear(slopes[0], [6, 20])
        expectNear(slopes[1], [1, 4])
        expectNear(slopes[2], [1, 2])
        expectNear(slopes[3], [6, 20])
        let (_, gradients) = try valueWithGradient(at: [x, y]) { try ($0[0] * $0[0] * $0[1]).sum() }
        expectNear(gradients[0], [6, 20])
        expectNear(gradients[1], [1, 4])
    }

    @Test func whatAValueDoesNotDependOnHasGradientZero() throws {
        let (x, y) = (T([1, 2]).tracked(), ([[3]] as T).tracked())
        expectNear(try gradient(of: x.sum(), withRespectTo: [y])[0], [[0]])
        expectNear(try gradient(of: T(3), withRespectTo: [y])[0], [[0]])
        expectNear(try gradient(of: x.detached().sum(), withRespectTo: [x])[0], [0, 0])
        expectNear(try gradient(at: T([1, 2])) { _ in T(3) }, [0, 0])
        expectNear(try jacobianVectorProduct(of: { _ in T([3, 4, 5]) }, at: T([1, 2]), along: [1, 1]), [0, 0, 0])
        expectNear(try hessianVectorProduct(of: { $0.sum() }, at: T([1, 2]), along: [1, 1]), [0, 0])
        // Computed before the target.
        let early = x * 2
        expectNear(try gradient(of: early.sum(), withRespectTo: [early.tracked()])[0], [0, 0])
        expectNear(try gradient(of: early.sum(), withRespectTo: [early])[0], [1, 1])
    }

    @Test func valuesAndGradientsAreConstants() throws {
        let (value, slope) = try valueWithGradient(at: T([1, 2])) { $0.squared().sum() }
        #expect(value.scalar == 5 && !value.isTracked && !slope.isTracked)
        expectNear(slope, [2, 4])
        let x = T([1, 2]).tracked()
        #expect(try !gradient(of: x.squared().sum(), withRespectTo: [x])[0].isTracked)
        let again = try gradient(of: x.squared().sum(), withRespectTo: [x], differentiable: true)[0]
        #expect(again.isTracked)
        expectNear(try gradient(of: again.sum(), withRespectTo: [x])[0], [2, 2])
    }

    /// ∂/∂y of ∂/∂x of x² y³ and the same the other way round.
    @Test func nestedGradientsOfDifferentVariables() throws {
        func value(_ x: T, _ y: T) throws -> T { try x.squared() * T.pow(y, 3) }
        let a = try gradient(at: T(5)) { y in try gradient(at: T(3)) { x in try value(x, y) } }
        let b = try gradient(at: T(3)) { x in try gradient(at: T(5)) { y in try value(x, y) } }
        #expect(a.scalar == 2 * 3 * 3 * 25 && b.scalar == a.scalar)
        // A value with gradient inside of a gradient.
        let c = try gradient(at: T(5)) { y in
            let (v, g) = try valueWithGradient(at: T(3)) { x in try value(x, y) }
            return try v + g * 2
        }
        #expect(c.scalar == 9 * 75 + 2 * 450)
        // The derivative along a direction, differentiated with respect to the direction and to something else.
        let d = try gradient(at: T(7)) { u in try jacobianVectorProduct(of: { try value($0, T(5)) }, at: T(3), along: u) }
        #expect(d.scalar == 6 * 125)
        let e = try gradient(at: T(5)) { y in try jacobianVectorProduct(of: { try value($0, y) }, at: T(3), along: T(7)) }
        #expect(e.scalar == 7 * 450)
        let f = try gradient(at: T(3)) { x in try hessianVectorProduct(of: { try value($0, T(5)) }, at: x, along: x) }
        #expect(f.scalar == 250)
    }

    @Test func vectorJacobianProducts() throws {
        let x = T([1, 2, 3]).tracked()
        let product = try vectorJacobianProduct(of: x.squared()[1...], withRespectTo: [x], cotangent: [10, 100])[0]
        expectNear(product, [0, 40, 600])
    }

    @Test func tensorsOfOtherThreads() async throws {
        let x = uniform([50]).tracked()
        let expected = try gradient(of: x.exp().sum(), withRespectTo: [x])[0]
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<50).allSatisfy { _ in (try? gradient(of: x.exp().sum(), withRespectTo: [x])[0]) == expected }
                }
            }
            for await isEqual in group { #expect(isEqual) }
        }
    }

    // MARK: Length

    @Test func longChainsAreWalkedAndFreed() throws {
        weak var record: Record<Double>?
        do {
            let x = T(0.5).tracked()
            var y = x
            for _ in 0..<200_000 { y = y + 1e-6 }
            let slope = try gradient(of: y * y, withRespectTo: [x], differentiable: true)[0]
            #expect(abs(slope.scalar - 1.4) < 1e-9)
            #expect(try gradient(of: slope, withRespectTo: [x])[0].scalar == 2)
            record = y.record
        }
        #expect(record == nil)
    }

    /// A chain that forks and joins, whose records have several owners while it is taken apart.
    @Test func longLaddersAreFreed() throws {
        let x = T(1).tracked()
        var (a, b) = (x, x)
        for _ in 0..<30_000 { (a, b) = (try a * 0.5 + b * 0.5, try b * 0.5 + a * 0.5) }
        #expect(abs(try gradient(of: a + b, withRespectTo: [x])[0].scalar - 2) < 1e-9)
    }

    @Test func detachedLoopsDoNotGrow() throws {
        final class Weak {
            weak var record: Record<Double>?
            weak var storage: TensorStorage?
            init(_ tensor: T) { (record, storage) = (tensor.record, tensor.storage) }
        }
        var x: T = [1, 2, 3]
        var seen: [Weak] = []
        for _ in 0..<1000 {
            let point = x.tracked()
            let energy = try (point.exp() * point).sum()
            x = try (x - gradient(of: energy, withRespectTo: [point])[0] * 0.01).detached()
            seen += [Weak(point), Weak(energy), Weak(x)]
        }
        #expect(seen.allSatisfy { $0.record == nil })
        // The last point is what `x` was before, and the last of all is `x` itself.
        #expect(seen.count { $0.storage != nil } == 1)
    }

    @Test func memoryIsGivenBackWithItsLastOwner() {
        nonisolated(unsafe) var released = 0
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 800, alignment: 64)
        memory.initializeMemory(as: Double.self, repeating: 1, count: 100)
        var x: T? = T(
            shape: [10, 10],
            storage: TensorStorage(memory) {
                released += 1; memory.deallocate()
            })
        var part: T? = x![2..<4]
        var other: T? = part!.detached()
        x = nil
        part = nil
        #expect(released == 0 && other!.sum().scalar == 20)
        other = nil
        #expect(released == 1)
    }
}
