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

    /// The part of an area that is inside, as a ring of places; empty where there is none. On a logarithmic axis, what is not
    /// positive lies below everything.
    func area(_ ring: [Point]) -> [Point] {
        func shown(_ value: Double, _ axis: Axis) -> Double {
            axis.kind == .logarithmic && value <= 0 ? axis.range.lowerBound / 1000 : value
        }
        return clipped(ring.compactMap { place(Point(shown($0.x, xAxis), shown($0.y, yAxis))) })
    }

    /// A ring of places without what is outside, side by side of the frame (Sutherland & Hodgman, Reentrant polygon clipping,
    /// 1974).
    func clipped(_ ring: [Point]) -> [Point] {
        let rooms: [(Point) -> Double] = [
            { $0.x - frame.left }, { frame.right - $0.x }, { $0.y - frame.top }, { frame.bottom - $0.y },
        ]
        return rooms.reduce(ring) { ring, room in
            guard var last = ring.last else { return [] }
            var kept: [Point] = []
            for point in ring {
                let (before, here) = (room(last), room(point))
                if before < 0 && here >= 0 || before >= 0 && here < 0 {
                    let share = before / (before - here)
                    kept.append(Point(last.x + share * (point.x - last.x), last.y + share * (point.y - last.y)))
                }
                if here >= 0 { kept.append(point) }
                last = point
            }
            return kept
        }
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
