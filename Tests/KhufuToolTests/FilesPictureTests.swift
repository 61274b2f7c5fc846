import Foundation
import Testing

@testable import ArrayFiles
@testable import KhufuTool
@testable import Pictures

#if canImport(FoundationXML)
import FoundationXML
#endif

@Suite struct FilesPictureTests {
    private func map(_ values: [Double], rows: Int, columns: Int) -> HeatMap {
        HeatMap(
            title: "Density <of> \"points\" & more\u{1}", values: values, rows: rows, columns: columns,
            xRange: -180...180, yRange: -90...90, legend: "per degree²", points: [Point(0, 0), Point(999, .nan)])
    }

    private var hill: HeatMap {
        let values = (0..<60 * 120).map { index -> Double in
            let (y, x) = (Double(index / 120) - 30, Double(index % 120) - 60)
            return exp(-(x * x + y * y) / 200)
        }
        return map(values, rows: 60, columns: 120)
    }

    private func document(_ picture: some Picture) -> String {
        var canvas = SVGCanvas(width: picture.width, height: picture.height)
        picture.draw(on: &canvas)
        return canvas.document
    }

    private func isWellFormed(_ document: String) -> Bool { XMLParser(data: Data(document.utf8)).parse() }

    // MARK: SVG

    @Test func heatMapsAreWellFormed() {
        let text = document(hill)
        #expect(isWellFormed(text))
        #expect(text.contains("Density &lt;of&gt;") && text.contains("90°W") && text.contains("60°N"))
        #expect(text.utf8.count < 100_000)
        #expect(text == document(hill), "the same map gives the same file")
    }

    /// Fields and ranges without a sensible picture still give one, in both formats.
    @Test(arguments: [[0], [5], [.nan], [.infinity], [-1], [1e308], [-1e308, 1e308], [5e-324, 0], [.nan, 1, -.infinity, 2]])
    func oddFields(values: [Double]) {
        for xRange in [-180.0...180, 0...0, -1e308...1e308, 0...5e-324, 3...(.infinity)] {
            for surroundings in [HeatMap.Surroundings.world, .plane(x: "a", y: "b")] {
                var picture = map(values, rows: 1, columns: values.count)
                picture.xRange = xRange
                picture.surroundings = surroundings
                #expect(isWellFormed(document(picture)))
                var canvas = RasterCanvas(width: 96, height: 60, scale: 1)
                picture.draw(on: &canvas)
            }
        }
    }

    @Test func oddLines() {
        for points in [[], [Point(1, 1)], [Point(.nan, 1), Point(-1, 0)], [Point(1e-320, 1e308), Point(1e308, -1e308)]] {
            for isLogarithmic in [false, true] {
                var plot = Plot(title: "t", x: "x", y: "y")
                (plot.isXLogarithmic, plot.isYLogarithmic) = (isLogarithmic, isLogarithmic)
                plot.addLine(points, name: "n", hasDots: true)
                #expect(isWellFormed(document(plot)))
            }
        }
    }

    // MARK: Contours

    /// The areas of all rings, holes counted negatively, against the share of the samples.
    @Test func contoursEncloseTheField() {
        let size = 200
        let frame = Frame(left: 0, top: 0, width: 200, height: 200)
        // A ring between radius 30 and 60: one outer border and one hole.
        let values = (0..<size * size).map { index -> Double in
            let (y, x) = (Double(index / size) - 99.5, Double(index % size) - 99.5)
            return -abs((x * x + y * y).squareRoot() - 45)
        }
        let rings = Contours(values: values, rows: size, columns: size, in: frame).rings(atLeast: -15)
        #expect(rings.count == 2)
        let area = abs(rings.map(Self.area).reduce(0, +))
        #expect(abs(area - Double.pi * 2700) < 20)

        // A field that is high everywhere fills the frame to its border; one that is low has no ring.
        let full = Contours(values: [1, 1, 1, 1], rows: 2, columns: 2, in: frame)
        #expect(abs(abs(full.rings(atLeast: 0.5).map(Self.area).reduce(0, +)) - 40_000) < 1e-6)
        #expect(full.rings(atLeast: 2).isEmpty)
    }

    /// On random fields, full of saddles, area and its complement make up the frame.
    @Test func contoursOfNoise() {
        let frame = Frame(left: 0, top: 0, width: 16, height: 16)
        for _ in 0..<20 {
            let values = (0..<256).map { _ in Double.random(in: -1...1) }
            let high = Contours(values: values, rows: 16, columns: 16, in: frame).rings(atLeast: 0)
            let low = Contours(values: values.map { -$0 }, rows: 16, columns: 16, in: frame).rings(atLeast: 0)
            let sum = abs(high.map(Self.area).reduce(0, +)) + abs(low.map(Self.area).reduce(0, +))
            #expect(abs(sum - 256) < 1e-6)
        }
    }

    private static func area(_ ring: [Point]) -> Double {
        zip(ring, ring.dropFirst() + ring.prefix(1)).reduce(0) { $0 + ($1.0.x * $1.1.y - $1.1.x * $1.0.y) / 2 }
    }

    // MARK: PNG

    @Test func checksums() {
        #expect(PNG.crc32(Array("123456789".utf8)) == 0xcbf4_3926)
        #expect(PNG.adler32(Array("Wikipedia".utf8)) == 0x11e6_0398)
    }

    @Test func deflateRoundTrips() throws {
        var inputs: [[UInt8]] = [[], [7], [0, 0, 0], Array(0...255)]
        for length in 1...700 { inputs.append([UInt8](repeating: 9, count: length) + [1]) }
        inputs.append((0..<5000).map { _ in UInt8.random(in: 0...255) })
        inputs.append((0..<5000).map { _ in UInt8.random(in: 0...1) })
        for input in inputs {
            let stream = PNG.zlib(input)
            #expect((Int(stream[0]) << 8 + Int(stream[1])) % 31 == 0)
            #expect(try Inflater.inflate(Array(stream.dropFirst(2).dropLast(4))) == input)
        }
    }

    @Test func picturesBecomeValidPNGs() throws {
        let folder = try TemporaryFolder()
        try hill.write(to: folder.path("hill.png"))
        try hill.write(to: folder.path("hill.SVG"))
        #expect(folder.contents == ["hill.SVG", "hill.png"])
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: folder.path("hill.png"))))
        let (width, height, pixels) = try Inflater.pixels(png: bytes)
        #expect(width == 1920 && height == Int((hill.height * 2).rounded(.up)))
        // The middle of the hill is the darkest colour, the corner of the picture white.
        #expect(Array(pixels[..<3]) == [255, 255, 255])
        let middle = 3 * (Int(54 + 392 / 2) * 2 * width + (72 + 784 / 2) * 2)
        #expect(pixels[middle..<middle + 3].allSatisfy { $0 < 90 })
        let wrong = sentence { try hill.write(to: "a.gif") }
        #expect(wrong == "a.gif: expected a picture's name ending in .svg or .png, found '.gif'.")
    }

    @Test func coverageIsExact() {
        var canvas = RasterCanvas(width: 4, height: 2, scale: 1)
        canvas.fill([Frame(left: 0.5, top: 0, width: 2, height: 1).corners], .black)
        #expect(stride(from: 0, to: 24, by: 3).map { canvas.pixels[$0] } == [128, 0, 128, 255, 255, 255, 255, 255])
        canvas.fill([[Point(-10, 1), Point(50, 1), Point(50, 20), Point(-10, 20)]], .black)
        #expect(canvas.pixels[12...].allSatisfy { $0 == 0 })
    }

    // MARK: Axes and colours

    @Test func ticksAreRound() {
        let axis = Axis(.linear, 0...1, from: 0, to: 100)
        #expect(axis.ticks(5).map(\.label) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        #expect(
            Axis(.longitude, -180...180, from: 0, to: 1).ticks(8).map(\.label)
                == ["180°", "135°W", "90°W", "45°W", "0°", "45°E", "90°E", "135°E", "180°"])
        let decades = Axis(.logarithmic, 0.01...1e4, from: 0, to: 1).ticks(8).map(\.label)
        #expect(decades == ["0.01", "0.1", "1", "10", "100", "1000", "10000"])
        #expect(Axis(.linear, 0...3e-7, from: 0, to: 1).ticks(3).map(\.label) == ["0", "1e−07", "2e−07", "3e−07"])
        #expect(Axis(.linear, 7...7, from: 0, to: 1).ticks(4).isEmpty == false)
    }

    /// Equal steps of the value are equal steps of lightness, within what clipping to sRGB changes.
    @Test func colourMapIsUniform() {
        let luminance = stride(from: 0.0, through: 1, by: 0.02).map { value -> Double in
            let color = ColorMap.heat.color(value)
            func linear(_ x: Double) -> Double { x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4) }
            return 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue)
        }
        #expect(zip(luminance, luminance.dropFirst()).allSatisfy { $0 > $1 })
        #expect(ColorMap.heat.color(.nan) == ColorMap.heat.color(0) && ColorMap.heat.color(9) == ColorMap.heat.color(1))
        #expect(Color.white.hex == "#ffffff" && Color(red: 0, green: 0.5, blue: 1).hex == "#0080ff")
    }
}

/// Reads back what `PNG` writes: an independent decoder of fixed-code deflate, from RFC 1951's tables.
private enum Inflater {
    struct Broken: Error {}

    static func inflate(_ bytes: [UInt8]) throws -> [UInt8] {
        var position = 0
        func bit() throws -> Int {
            guard position < bytes.count * 8 else { throw Broken() }
            defer { position += 1 }
            return Int(bytes[position / 8] >> (position % 8)) & 1
        }
        func number(_ count: Int) throws -> Int { try (0..<count).reduce(0) { try $0 | bit() << $1 } }
        guard try bit() == 1, try number(2) == 1 else { throw Broken() }
        let bases = [
            3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
        ]
        let extras = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
        var output: [UInt8] = []
        while true {
            var code = 0
            for _ in 0..<7 { code = try code << 1 | bit() }
            var symbol = 256 + code
            if code >= 24 {
                code = try code << 1 | bit()
                if 48..<192 ~= code {
                    symbol = code - 48
                } else if 192..<200 ~= code {
                    symbol = 280 + code - 192
                } else {
                    symbol = try (code << 1 | bit()) - 400 + 144
                }
            }
            if symbol < 256 {
                output.append(UInt8(symbol))
            } else if symbol == 256 {
                return output
            } else {
                let length = try bases[symbol - 257] + number(extras[symbol - 257])
                guard try number(5) == 0, let last = output.last else { throw Broken() }
                output += [UInt8](repeating: last, count: length)
            }
        }
    }

    static func pixels(png: [UInt8]) throws -> (width: Int, height: Int, pixels: [UInt8]) {
        guard png.starts(with: [137, 80, 78, 71, 13, 10, 26, 10]) else { throw Broken() }
        func number(_ place: Int) -> Int { png[place..<place + 4].reduce(0) { $0 << 8 | Int($1) } }
        var place = 8
        var chunks: [String: [UInt8]] = [:]
        while place < png.count {
            let length = number(place)
            let content = Array(png[place + 4..<place + 8 + length])
            guard Int(PNG.crc32(content)) == number(place + 8 + length) else { throw Broken() }
            chunks[String(decoding: content[..<4], as: UTF8.self)] = Array(content[4...])
            place += 12 + length
        }
        guard let header = chunks["IHDR"], let data = chunks["IDAT"], chunks["IEND"] == [] else { throw Broken() }
        guard Array(header[8...]) == [8, 2, 0, 0, 0] else { throw Broken() }
        let width = header[..<4].reduce(0) { $0 << 8 | Int($1) }
        let height = header[4..<8].reduce(0) { $0 << 8 | Int($1) }
        let rows = try inflate(Array(data.dropFirst(2).dropLast(4)))
        guard rows.count == (3 * width + 1) * height else { throw Broken() }
        var pixels: [UInt8] = []
        for row in 0..<height {
            let start = row * (3 * width + 1)
            guard rows[start] == 2 else { throw Broken() }
            for column in 0..<3 * width {
                pixels.append(rows[start + 1 + column] &+ (row == 0 ? 0 : pixels[pixels.count - 3 * width]))
            }
        }
        return (width, height, pixels)
    }
}
