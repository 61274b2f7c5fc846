import Foundation
import Testing

@testable import Pictures

#if canImport(FoundationXML)
import FoundationXML
#endif

@Suite struct FilesPlotTests {
    private func document(_ picture: some Picture) -> String {
        var canvas = SVGCanvas(width: picture.width, height: picture.height)
        picture.draw(on: &canvas)
        return canvas.document
    }

    private func isWellFormed(_ document: String) -> Bool { XMLParser(data: Data(document.utf8)).parse() }

    /// Everything that can be added, at places without a sensible picture too.
    private func everything(_ points: [Point]) -> Plot {
        var plot = Plot(title: "<&>\u{1}", x: "\"x\"", y: "y")
        let values = points.map(\.y)
        plot.addField([1, .nan, 3, -.infinity], rows: 2, columns: 2, x: 0...2, y: 0...1e308)
        plot.addField([1, 2], rows: 1, columns: 2, x: 0...2, y: 0...2, isSmooth: false)
        plot.addLine(points, band: (values.map { $0 - 1 }, values.map { $0 + 1 }), name: "a & b", isClosed: true, hasDots: true)
        plot.addLines([points, []], name: "lines")
        plot.addArrows(from: points, to: points.reversed(), name: "moves")
        plot.addDots(points, name: "dots")
        plot.addDots(points, labels: points.indices.map { $0 - 1 }, names: ["one", "<two>"])
        plot.addDots(points, values: values, scale: ColorScale(fitting: values, .signed, title: "value"))
        return plot
    }

    @Test func oddPoints() {
        let odd = [
            [], [Point(1, 1)], [Point(.nan, 1), Point(-1, 0), Point(3, .infinity)], [Point(1e-320, 1e308), Point(1e308, -1e308)],
        ]
        for points in odd {
            for (isLogarithmic, hasEqualUnits) in [(false, false), (true, false), (false, true), (true, true)] {
                var plot = everything(points)
                (plot.isXLogarithmic, plot.isYLogarithmic, plot.hasEqualUnits) = (isLogarithmic, isLogarithmic, hasEqualUnits)
                let panels = Panels([plot, plot, Panels([plot])], title: "a < b", columns: 2)
                let text = document(panels)
                #expect(isWellFormed(text))
                #expect(text.contains("a &amp; b") && text.contains("&lt;two&gt;"))
                var canvas = RasterCanvas(width: 60, height: 60, scale: 1)
                panels.draw(on: &canvas)
            }
        }
    }

    @Test func panelsTakeTheRoomOfTheirPictures() {
        func plot(_ width: Double, _ height: Double) -> Plot {
            var plot = Plot()
            (plot.width, plot.height) = (width, height)
            return plot
        }
        let panels = Panels([plot(100, 50), plot(200, 80), plot(150, 60)], columns: 2)
        #expect(panels.width == 350 && panels.height == 140)
        #expect(Panels([]).width == 0 && isWellFormed(document(Panels([]))))
    }

    @Test func linesAreCutAtTheFrame() {
        let frame = Frame(left: 0, top: 0, width: 10, height: 10)
        let window = Window(
            frame: frame, xAxis: Axis(.linear, 0...10, from: 0, to: 10), yAxis: Axis(.linear, 0...10, from: 10, to: 0))
        // In and out again, in picture coordinates: y runs downwards.
        let parts = window.lines([Point(-5, 5), Point(5, 5), Point(5, 15), Point(8, 15), Point(8, 5)])
        #expect(parts == [[Point(0, 5), Point(5, 5), Point(5, 0)], [Point(8, 0), Point(8, 5)]])
        #expect(window.lines([Point(-1, 11), Point(11, 12)]).isEmpty)
        #expect(window.lines([Point(1, 1), Point(.nan, 2), Point(3, 3), Point(4, 4)]).count == 2)
        #expect(window.lines([Point(1, 1), Point(9, 2)]) == [[Point(1, 9), Point(9, 8)]])
    }

    @Test func areasAreCutAtTheFrame() {
        let window = Window(
            frame: Frame(left: 0, top: 0, width: 10, height: 10), xAxis: Axis(.linear, 0...10, from: 0, to: 10),
            yAxis: Axis(.logarithmic, 1...100, from: 10, to: 0))
        #expect(window.clipped([Point(5, 5), Point(15, 5), Point(15, 20), Point(5, 20)]).count == 4)
        let triangle = window.clipped([Point(0, 0), Point(20, 0), Point(0, 20)])
        #expect(Set(triangle.map { "\($0.x) \($0.y)" }) == ["0.0 0.0", "10.0 0.0", "10.0 10.0", "0.0 10.0"])
        #expect(window.clipped([Point(20, 20), Point(30, 20), Point(30, 30)]).isEmpty)
        // From below everything up to 10, half of the height.
        let area = window.area([Point(2, 0), Point(4, -3), Point(4, 10), Point(2, 10)])
        #expect(area.map(\.y).max() == 10 && area.map(\.y).min() == 5)
    }

    @Test func colorsStandForValues() {
        let scale = ColorScale(fitting: [-1, 3, .nan], .signed)
        #expect(scale.range == -3...3)
        #expect(ColorScale(fitting: [-1, 3]).range == -1...3)
        #expect(scale.step(-3) == 0 && scale.step(3) == ColorScale.steps - 1 && scale.step(99) == ColorScale.steps - 1)
        let (low, high) = (scale.color(step: 2), scale.color(step: ColorScale.steps - 3))
        #expect(low.blue > low.red && high.red > high.blue)
    }
}
