//! The scorer and two detectors against what NAB publishes for each file
//! (`results/<detector>/<detector>_standard_scores.csv` of its repository).

use std::path::Path;

use echolot_alert::eval::{nab, rivals};

fn data() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/nab_tweets"))
}

#[test]
fn relative_entropy_scores_what_is_published_for_every_file() {
    let published = [-0.692_809, -0.145_516, -1.248_212, 2.456_776, 1.390_482];
    for (file, published) in nab::read(data()).unwrap().iter().zip(published) {
        let found = file.score(rivals::relative_entropy(file).detections(file, 0.5));
        assert!((found - published).abs() < 1e-5, "{}: {found}, not {published}", file.name);
    }
}

#[test]
fn windowed_gaussian_scores_what_is_published_for_every_file() {
    // The threshold that NAB prints as 1.0 lies a little below it: one between 6e-13 and 7e-13.
    let published = [1.513_997, 1.558_483, 0.763_846, 0.773_682, 0.119_750];
    let files = nab::read(data()).unwrap();
    let scored: Vec<_> =
        files.iter().map(|file| rivals::windowed_gaussian(file, 6400, 100)).collect();
    let off = |threshold: f64| -> f64 {
        let each = files.iter().zip(&scored).zip(published).map(|((file, scored), published)| {
            (file.score(scored.detections(file, threshold)) - published).abs()
        });
        each.fold(0.0, f64::max)
    };
    let best =
        (40..80).map(|step| off(1.0 - f64::from(step) * 1e-14)).fold(f64::INFINITY, f64::min);
    assert!(best < 1e-5, "the nearest threshold is off by {best}");
}
