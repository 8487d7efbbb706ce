//! Brand files that change while batches go on.

use std::{fs, path::Path, sync::Arc};

use echolot_enrich::{
    EnrichMetrics, Enricher, Models, language::HintedWhichlang, sentiment::lexicon::LexiconScorer,
};
use echolot_pipeline::{
    brands::{BrandFiles, BrandMetrics, BrandWatch, LiveBrands, Pseudonymise},
    clock::Clock,
    health::HealthBoard,
    stage::{Stage, Verdict},
};
use echolot_schemas::{EnrichedEvent, enriched::BrandMatch};
use prometheus::Registry;
use tempfile::TempDir;

use super::{NOW, batch, settings};

/// A stage whose brands lie in a folder that is watched.
struct Lab {
    folder: TempDir,
    stage: Enricher,
    watch: BrandWatch,
    metrics: BrandMetrics,
    board: HealthBoard,
}

impl Lab {
    fn new(query: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), query);
        let registry = Registry::new();
        let metrics = BrandMetrics::new(&registry).unwrap();
        let board = HealthBoard::default();
        let health = board.part("enrich");
        health.ready();
        let mut files = BrandFiles::new(&[format!("{}/*.toml", folder.path().display())]);
        let brands = LiveBrands::new(files.load().unwrap());
        let settings = settings();
        let detector = Arc::new(HintedWhichlang::new(&settings.languages, 0.5).unwrap());
        let scorer = Arc::new(LexiconScorer::new().unwrap());
        let models = Models { detector, scorer, second: None };
        let live = brands.clone();
        let counted = EnrichMetrics::new(&registry).unwrap();
        let nobody = Pseudonymise::new(|_, handle| handle.to_owned());
        let clock = Clock::stopped_at(NOW);
        let stage = Enricher::new(&settings, models, live, nobody, counted, clock).unwrap();
        let watch = BrandWatch::new(files, brands, false, metrics.clone(), health);
        Self { folder, stage, watch, metrics, board }
    }

    /// The brands of each text.
    async fn judge(&mut self, texts: &[&str]) -> Vec<Vec<BrandMatch>> {
        let verdicts = self.stage.judge(&batch(texts)).await.unwrap();
        verdicts
            .into_iter()
            .map(|verdict| match verdict {
                Verdict::Emit(EnrichedEvent::Enriched(enriched)) => enriched.brands,
                other => panic!("{other:?}"),
            })
            .collect()
    }
}

fn write(folder: &Path, query: &str) {
    let brand = format!("name = \"Tramio\"\nquery = '{query}'\n");
    fs::write(folder.join("tramio.toml"), brand).unwrap();
}

const TEXTS: [&str; 3] = ["Die Tramio kommt", "Der Trambus kommt", "Nichts kommt"];

#[tokio::test]
async fn a_changed_file_applies_from_the_next_batch_with_another_version_and_loses_no_mention() {
    let mut lab = Lab::new("tramio");
    let before = lab.judge(&TEXTS).await;
    assert_eq!(before.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 0]);
    write(lab.folder.path(), "tramio OR trambus");
    lab.watch.look(false);
    let after = lab.judge(&TEXTS).await;
    assert_eq!(after.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 0]);
    assert_ne!(before[0][0].version, after[0][0].version);
    assert_eq!(after[0], after[1]);
}

#[tokio::test]
async fn a_file_that_was_not_touched_is_not_read_again() {
    let mut lab = Lab::new("tramio");
    let before = lab.judge(&TEXTS).await;
    lab.watch.look(false);
    assert_eq!(lab.judge(&TEXTS).await, before);
    assert_eq!(lab.metrics.brands.with_label_values(&["enrich"]).get(), 1);
}

#[tokio::test]
async fn a_broken_file_leaves_the_last_good_version_at_work_and_is_told_once() {
    let mut lab = Lab::new("tramio");
    let before = lab.judge(&TEXTS).await;
    write(lab.folder.path(), "tramio AND (trambus");
    lab.watch.look(false);
    lab.watch.look(false);
    assert_eq!(lab.judge(&TEXTS).await, before);
    assert_eq!(lab.metrics.reload_failures.with_label_values(&["enrich"]).get(), 1);
    assert!(lab.board.not_ready().is_empty());
    let notes = lab.board.notes();
    let [("enrich", note)] = &notes[..] else { panic!("{notes:?}") };
    assert!(note.contains("tramio.toml:2") && note.contains("never closed"), "{note}");

    write(lab.folder.path(), "trambus");
    lab.watch.look(false);
    assert!(lab.board.notes().is_empty());
    assert_eq!(lab.judge(&TEXTS).await.iter().map(Vec::len).collect::<Vec<_>>(), [0, 1, 0]);
}

#[tokio::test]
async fn files_that_are_all_gone_leave_the_last_good_version_at_work() {
    let mut lab = Lab::new("tramio");
    let before = lab.judge(&TEXTS).await;
    fs::remove_file(lab.folder.path().join("tramio.toml")).unwrap();
    lab.watch.look(false);
    assert_eq!(lab.judge(&TEXTS).await, before);
    assert!(lab.board.notes()[0].1.contains("there is no such file"));
}

#[tokio::test]
async fn a_new_file_of_the_folder_is_found_and_telling_reads_what_looks_unchanged() {
    let mut lab = Lab::new("tramio");
    let second = lab.folder.path().join("bus.toml");
    fs::write(&second, "name = \"Bus\"\nquery = \"trambus\"\n").unwrap();
    lab.watch.look(false);
    assert_eq!(lab.judge(&TEXTS).await[1][0].brand, "Bus");
    assert_eq!(lab.metrics.brands.with_label_values(&["enrich"]).get(), 2);

    let written = fs::metadata(&second).unwrap().modified().unwrap();
    fs::write(&second, "name = \"Bus\"\nquery = \"nichts!\"\n").unwrap();
    fs::File::options().write(true).open(&second).unwrap().set_modified(written).unwrap();
    lab.watch.look(false);
    assert_eq!(lab.judge(&TEXTS).await[1].len(), 1, "it looks unchanged");
    lab.watch.look(true);
    assert_eq!(lab.judge(&TEXTS).await[1].len(), 0);
}
