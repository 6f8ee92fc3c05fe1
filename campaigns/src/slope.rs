//! How fast a figure grows: the line through the points that is nearest to them, by least squares.

use std::time::Duration;

/// What was seen at an instant.
#[derive(Debug, Clone, Copy)]
pub struct Point {
    /// When, from the beginning.
    pub after: Duration,
    /// What was there, in bytes.
    pub bytes: u64,
}

/// Bytes an hour; none of fewer than two points, and where all are of one instant.
pub fn bytes_an_hour(points: &[Point]) -> Option<f64> {
    let number = points.len() as f64;
    let hours = |point: &Point| point.after.as_secs_f64() / 3_600.0;
    let mean_hours = points.iter().map(hours).sum::<f64>() / number;
    let mean_bytes = points.iter().map(|point| point.bytes as f64).sum::<f64>() / number;
    let (mut together, mut apart) = (0.0, 0.0);
    for point in points {
        let away = hours(point) - mean_hours;
        together += away * (point.bytes as f64 - mean_bytes);
        apart += away * away;
    }
    (points.len() >= 2 && apart > 0.0).then(|| together / apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(bytes: impl Fn(u64) -> u64) -> Vec<Point> {
        (0..100)
            .map(|minute| Point { after: Duration::from_secs(60 * minute), bytes: bytes(minute) })
            .collect()
    }

    #[test]
    fn what_grows_is_told_from_what_goes_up_and_down() {
        let growth = |bytes: &dyn Fn(u64) -> u64| bytes_an_hour(&points(bytes)).unwrap();
        assert!((growth(&|minute| 1_000_000 + 1_000 * minute) - 60_000.0).abs() < 0.1);
        assert!(growth(&|_| 5_000_000).abs() < 0.1);
        let waves = growth(&|minute| 5_000_000 + 1_000 * (minute % 2));
        assert!(waves.abs() < 100.0, "{waves}");
    }

    #[test]
    fn of_one_instant_there_is_no_slope() {
        assert!(bytes_an_hour(&[]).is_none());
        assert!(bytes_an_hour(&points(|_| 1)[..1]).is_none());
        assert!(bytes_an_hour(&[points(|_| 1)[0]; 3]).is_none());
    }
}
