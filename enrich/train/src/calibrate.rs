//! Temperature and class biases of each language, on development texts that were not learned from.

use echolot_enrich::sentiment::linear::Calibration;

use crate::learn::softmax;

/// Sums of a text, and its class.
pub(crate) type Scored = ([f32; 2], usize);

const STEPS: usize = 600;

/// The calibration of least log loss, every class weighing the same: class priors are a matter of
/// where the model is used, not of the model.
pub(crate) fn fit(scored: &[Scored]) -> Calibration {
    let mut counts = [0.0_f32; 3];
    for (_, gold) in scored {
        counts[*gold] += 1.0;
    }
    let weights = counts.map(|count| 1.0 / (3.0 * count.max(1.0)));
    // In units of their own spread, sums suit a step of one whatever the model.
    let squares: f32 = scored.iter().flat_map(|(sums, _)| sums).map(|sum| sum * sum).sum();
    let spread = (squares / (2 * scored.len()).max(1) as f32).sqrt().max(1e-6);
    // Slope and biases of (sum × slope + bias); the loss is convex in them.
    let (mut slope, mut bias) = (1.0_f32, [0.0_f32; 2]);
    for _ in 0..STEPS {
        let (mut of_slope, mut of_bias) = (0.0, [0.0; 2]);
        for (sums, gold) in scored {
            let sums = sums.map(|sum| sum / spread);
            let shares = softmax([sums[0] * slope + bias[0], sums[1] * slope + bias[1]], true);
            for (at, class) in [(0, 0), (1, 2)] {
                let error = weights[*gold] * (shares[class] - f32::from(u8::from(class == *gold)));
                of_slope += error * sums[at];
                of_bias[at] += error;
            }
        }
        slope -= of_slope;
        bias = [bias[0] - of_bias[0], bias[1] - of_bias[1]];
    }
    let temperature = spread / slope.max(1e-3);
    Calibration { temperature, bias: bias.map(|bias| bias * temperature) }
}

/// Macro-F1 with a calibration.
pub(crate) fn macro_f1(scored: &[Scored], calibration: &Calibration) -> f64 {
    let mut confusion = [[0_u32; 3]; 3];
    for (sums, gold) in scored {
        let [negative, positive] = [0, 1].map(|class| sums[class] + calibration.bias[class]);
        let said = if negative > positive.max(0.0) {
            0
        } else if positive > 0.0 {
            2
        } else {
            1
        };
        confusion[*gold][said] += 1;
    }
    let f1 = |class: usize| {
        let gold: u32 = confusion[class].iter().sum();
        let said: u32 = confusion.iter().map(|row| row[class]).sum();
        2.0 * f64::from(confusion[class][class]) / f64::from((gold + said).max(1))
    };
    (0..3).map(f1).sum::<f64>() / 3.0
}
