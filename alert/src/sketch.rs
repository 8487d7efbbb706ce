//! How many different ones, in 32 bytes that can be merged.

/// Linear counting over 256 bits: every value sets one bit, the share of empty bits tells how many
/// different values there were. Exact enough where a floor of a few authors is asked for, and merging
/// two sketches is a bitwise or.
///
/// Source: Whang, Vander-Zanden, Taylor, "A linear-time probabilistic counting algorithm for
/// database applications", ACM TODS 15(2), 1990.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sketch([u64; 4]);

/// Bits of a sketch.
pub const BITS: u32 = 256;

impl Sketch {
    /// A sketch from its words, as the store computes them: bit `hash % 256`.
    pub const fn from_words(words: [u64; 4]) -> Self {
        Self(words)
    }

    /// Adds a value by its hash.
    pub fn add(&mut self, hash: u64) {
        let bit = hash % u64::from(BITS);
        if let Some(word) = self.0.get_mut((bit / 64) as usize) {
            *word |= 1 << (bit % 64);
        }
    }

    /// Adds everything that another sketch holds.
    pub fn merge(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
    }

    /// About how many different values; at most some 1,400 can be told apart.
    pub fn about(&self) -> f64 {
        f64::from(BITS) * self.load()
    }

    /// One standard error above [`Self::about`]: what is compared with it must not be called too
    /// small by chance.
    pub fn at_most(&self) -> f64 {
        let load = self.load();
        self.about() + (f64::from(BITS) * (load.exp() - load - 1.0)).sqrt()
    }

    /// Values a bit.
    fn load(&self) -> f64 {
        let set: u32 = self.0.iter().map(|word| word.count_ones()).sum();
        -(1.0 - f64::from(set.min(BITS - 1)) / f64::from(BITS)).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: u64) -> Sketch {
        let mut sketch = Sketch::default();
        for value in 0..values {
            // Any mixing does: the constant is 2^64 divided by the golden ratio.
            sketch.add(value.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32);
        }
        sketch
    }

    #[test]
    fn few_are_counted_well_and_many_are_never_called_few() {
        assert!((of(3).about() - 3.0).abs() < 0.1, "{}", of(3).about());
        for many in [10, 50, 200, 500] {
            assert!(of(many).at_most() >= many as f64 * 0.9, "{many}: {}", of(many).at_most());
        }
        assert!((1300.0..2000.0).contains(&of(100_000).at_most()));
    }

    #[test]
    fn the_same_values_again_change_nothing() {
        let (mut twice, once) = (of(40), of(40));
        twice.merge(&once);
        assert_eq!(twice, once);
    }
}
