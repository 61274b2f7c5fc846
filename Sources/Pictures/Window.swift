/// The part of a picture inside a pair of axes: where places lie on it, and what is left of lines and areas that leave it.
struct Window {
    let frame: Frame
    let xAxis: Axis
    let yAxis: Axis

    /// Where a point is drawn; nil where it is nowhere.
    func place(_ point: Point) -> Point? {
        let place = Point(xAxis.position(point.x), yAxis.position(point.y))
        return place.x.isFinite && place.y.isFinite ? place : nil
    }

    /// Whether a place is inside, or within rounding of the border.
    func contains(_ place: Point) -> Bool {
        (frame.left - 0.01...frame.right + 0.01).contains(place.x) && (frame.top - 0.01...frame.bottom + 0.01).contains(place.y)
    }

    /// The parts of a line that are inside. A point that is nowhere interrupts it.
    func lines(_ line: [Point]) -> [[Point]] {
        line.map(place).split(separator: nil).flatMap { places -> [[Point]] in
            let places = places.compactMap { $0 }
            if places.allSatisfy(contains) { return [places] }
            var parts: [[Point]] = []
            for (start, end) in zip(places, places.dropFirst()) {
                guard let (from, to) = clipped(start, end) else { continue }
                if parts.last?.last == from { parts[parts.count - 1].append(to) } else { parts.append([from, to]) }
            }
            return parts
        }
    }

    /// The part of an area that is inside, its border pressed against the frame. An area with a corner that is nowhere has none.
    func areas(_ ring: [Point]) -> [[Point]] {
        let places = ring.compactMap(place)
        guard places.count > 2 else { return [] }
        return [
            places.map {
                Point(min(max($0.x, frame.left), frame.right), min(max($0.y, frame.top), frame.bottom))
            }
        ]
    }

    /// The part of a segment that is inside (Liang & Barsky, A new concept and method for line clipping, 1984).
    private func clipped(_ start: Point, _ end: Point) -> (Point, Point)? {
        let (dx, dy) = (end.x - start.x, end.y - start.y)
        var (first, last) = (0.0, 1.0)
        for (step, room) in [
            (-dx, start.x - frame.left), (dx, frame.right - start.x), (-dy, start.y - frame.top), (dy, frame.bottom - start.y),
        ] {
            if step == 0 {
                if room < 0 { return nil }
            } else if step < 0 {
                first = max(first, room / step)
            } else {
                last = min(last, room / step)
            }
        }
        guard first <= last else { return nil }
        return (
            first == 0 ? start : Point(start.x + first * dx, start.y + first * dy),
            last == 1 ? end : Point(start.x + last * dx, start.y + last * dy)
        )
    }
}
