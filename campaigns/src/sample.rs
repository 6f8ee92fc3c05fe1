//! Figures of several runs: the median to quote, and the range that says how far to believe it.

/// Figures in order of size; at least one.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// A sample; none where there is no figure.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        if figures.is_empty() { None } else { Some(Self(figures)) }
    }

    /// The figure in the middle; of an even number, the mean of the two.
    pub fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        if self.0.len() % 2 == 1 { self.0[middle] } else { f64::midpoint(self.0[middle - 1], self.0[middle]) }
    }

    /// The least figure that `share` of all are not above, by nearest rank.
    pub fn at(&self, share: f64) -> f64 {
        let rank = (self.0.len() as f64 * share).ceil() as usize;
        self.0[rank.clamp(1, self.0.len()) - 1]
    }

    /// The largest figure.
    pub fn most(&self) -> f64 {
        self.0[self.0.len() - 1]
    }

    /// Median and range, with so many decimals.
    pub fn shown(&self, decimals: usize) -> String {
        let (median, least, most) = (self.median(), self.0[0], self.most());
        match self.0.len() {
            1 => format!("{median:.decimals$}"),
            _ => format!("{median:.decimals$} ({least:.decimals$} to {most:.decimals$})"),
        }
    }
}

/// `theirs` divided by `ours`, run by run.
pub fn ratios(theirs: &[f64], ours: &[f64]) -> Option<Sample> {
    Sample::of(theirs.iter().zip(ours).filter(|(_, ours)| **ours > 0.0).map(|(theirs, ours)| theirs / ours))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_quoted_with_its_range() {
        let sample = Sample::of([3.0, 1.0, 2.0, 10.0]).unwrap();
        assert_eq!(sample.shown(1), "2.5 (1.0 to 10.0)");
        assert_eq!(Sample::of([4.25]).unwrap().shown(1), "4.2");
        assert_eq!(Sample::of([]), None);
    }

    #[test]
    fn a_share_is_the_nearest_rank() {
        let sample = Sample::of((1..=200).map(f64::from)).unwrap();
        assert_eq!([0.5, 0.99, 1.0, 0.0].map(|share| sample.at(share)), [100.0, 198.0, 200.0, 1.0]);
    }

    #[test]
    fn a_ratio_is_taken_run_by_run() {
        assert_eq!(ratios(&[10.0, 30.0, 8.0], &[1.0, 2.0, 0.0]).unwrap().shown(0), "12 (10 to 15)");
        assert_eq!(ratios(&[1.0], &[0.0]), None);
    }
}
