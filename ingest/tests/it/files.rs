use std::{fs, io::Write as _, path::PathBuf};

use echolot_ingest::{
    collector::Collected,
    files::{BackfillError, BackfillOptions, FileOutcome, FileReport, expand, read_options},
    settings::FilesSettings,
};
use echolot_schemas::dead_letter::Reason;
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::log::{MemoryLog, collector, settings, source};

struct Files {
    dir: TempDir,
    log: MemoryLog,
    settings: FilesSettings,
    options: BackfillOptions,
}

impl Files {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            log: MemoryLog::default(),
            settings: settings().ingest.files,
            options: BackfillOptions::default(),
        }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    async fn try_backfill(&self, pattern: &str) -> Result<Vec<FileReport>, BackfillError> {
        let pattern = self.dir.path().join(pattern).to_str().unwrap().to_owned();
        let origins = expand(&[pattern])?;
        let options = read_options(&self.settings, &self.options)?;
        let cancel = CancellationToken::new();
        collector(&self.log).backfill(&origins, options, &cancel, |_, _, _| ()).await
    }

    async fn backfill(&self, pattern: &str) -> FileReport {
        let mut reports = self.try_backfill(pattern).await.unwrap();
        assert_eq!(reports.len(), 1);
        reports.remove(0)
    }

    /// `place: detail` of every dead letter.
    fn dead(&self) -> Vec<String> {
        let state = self.log.state();
        let told = state.letters.iter().map(|letter| {
            let place = letter.headers.iter().find(|(name, _)| name == "ingest_place").unwrap();
            let place = String::from_utf8(place.1.clone()).unwrap();
            let place = place.rsplit('/').next().unwrap().to_owned();
            format!("{place}: {}", letter.rejection.detail)
        });
        told.collect()
    }
}

fn collected(accepted: u64, rejected: u64) -> Collected {
    Collected { accepted, rejected, filtered: 0 }
}

fn posts(numbers: std::ops::Range<usize>) -> String {
    let post = |n| {
        format!(
            r#"{{"created_at": "2011-10-07T23:15:25Z", "lang": "it", "source": "mozetic", "id": "{n}", "brand": "", "text": "post {n}"}}"#
        )
    };
    numbers.map(|n| post(n) + "\n").collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn posts_with_other_names_for_fields_are_understood_whatever_the_compression() {
    let text = posts(0..3);
    for (name, bytes) in [
        ("posts.jsonl", text.clone().into_bytes()),
        ("posts.gz", gzip(text.as_bytes())),
        ("posts.zst", zstd::encode_all(text.as_bytes(), 1).unwrap()),
        ("posts.json", format!("[{}]", text.trim().replace('\n', ",")).into_bytes()),
        ("bom.jsonl", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
    ] {
        let files = Files::new();
        files.write(name, bytes);
        let report = files.backfill(name).await;
        assert_eq!(report.outcome, FileOutcome::Finished, "{name}");
        assert_eq!(report.collected, collected(3, 0), "{name}");
        assert_eq!(report.ignored, ["brand"]);
        let mentions = files.log.mentions();
        assert_eq!(mentions[2].source, source("mozetic"));
        assert_eq!(mentions[2].published_at.to_string(), "2011-10-07T23:15:25.000Z");
        assert_eq!(mentions[2].declared_language.as_deref(), Some("it"));
    }
}

#[tokio::test]
async fn a_table_is_read_by_its_header_whatever_ends_its_cells() {
    for delimiter in [",", ";", "\t", "|"] {
        let files = Files::new();
        let table = [
            "Id;Message;Created At;Likes;Tags;Colour",
            "1;\"two\nlines, \"\"quoted\"\"\";2026-05-01T10:00:00Z;12.0;a b;red",
            "2;short;1777629600;;;",
        ];
        files.write("table.csv", table.join("\r\n").replace(';', delimiter));
        let report = files.backfill("table.csv").await;
        assert_eq!(report.outcome, FileOutcome::Finished, "{delimiter:?}");
        assert_eq!(report.collected, collected(2, 0), "{:?}", files.dead());
        assert_eq!(report.ignored, ["Colour"]);
        let mentions = files.log.mentions();
        assert_eq!(mentions[0].text, "two\nlines, \"quoted\"");
        assert_eq!(mentions[0].engagement.likes, Some(12));
        assert_eq!(mentions[0].tags, ["a", "b"]);
        assert_eq!(mentions[1].published_at.to_string(), "2026-05-01T10:00:00.000Z");
        assert_eq!(mentions[1].source, source("files"));
    }
}

#[tokio::test]
async fn maps_and_a_source_on_the_command_line_win() {
    let mut files = Files::new();
    files.options.maps = vec!["text=review".to_owned(), "author=name".to_owned()];
    files.options.source = Some(source("shop"));
    files.write(
        "r.csv",
        "id,text,review,name,date,source\n1,wrong,right,ada,2026-05-01T10:00:00Z,x\n",
    );
    let report = files.backfill("r.csv").await;
    assert_eq!(report.collected, collected(1, 0), "{:?}", files.dead());
    let mention = files.log.mentions().remove(0);
    assert_eq!((mention.text.as_str(), mention.source), ("right", source("shop")));
    assert!(mention.author.is_some());
}

#[tokio::test]
async fn bad_records_become_dead_letters_with_their_place_and_the_rest_goes_on() {
    let files = Files::new();
    let time = "2026-05-01T10:00:00Z";
    let lines = [
        format!(r#"{{"id": 1, "text": "good", "date": "{time}"}}"#),
        "{broken".to_owned(),
        format!(r#"{{"id": 3, "text": "x", "date": "{time}", "id": 4}}"#),
        format!(r#"{{"id": 4, "text": 7, "date": "{time}"}}"#),
        r#"{"id": 5, "text": "x", "date": "2026-05-01 10:00:00"}"#.to_owned(),
        format!(r#"{{"id": 6, "text": "x", "date": "{time}", "source": "Not A Name"}}"#),
        format!(r#"{{"id": 7, "text": "x", "date": "{time}", "likes": -1}}"#),
        format!(r#"{{"id": 8, "date": "{time}"}}"#),
        format!(r#"{{"id": 9, "text": "{}", "date": "{time}"}}"#, "x".repeat(2_000_000)),
        format!(
            r#"{{"id": 10, "text": "also good", "date": "{time}", "user": {{"name": "ada"}}}}"#
        ),
    ];
    files.write("bad.jsonl", lines.join("\n"));
    let report = files.backfill("bad.jsonl").await;
    assert_eq!(report.outcome, FileOutcome::Finished);
    assert_eq!(files.log.texts(), ["good", "also good"]);
    assert_eq!(report.collected, collected(2, 8));
    let dead = files.dead();
    for (told, expected) in dead.iter().zip([
        "bad.jsonl:2: key must be a string",
        "bad.jsonl:3: duplicate field `id`",
        "bad.jsonl:4: text: must be a text, not a number",
        "bad.jsonl:5: published_at: \"2026-05-01 10:00:00\" is no RFC 3339 time",
        "bad.jsonl:6: source: source name \"Not A Name\"",
        "bad.jsonl:7: likes: must be a whole number, 0 or more",
        "bad.jsonl:9: is 2000053 bytes, at most ingest.files.line_limit = 1048576",
    ]) {
        assert!(told.starts_with(expected), "{told:?} should begin with {expected:?}");
    }
    assert!(dead[7].starts_with("bad.jsonl:8: text: is empty"), "{}", dead[7]);
    let reasons: Vec<_> =
        files.log.state().letters.iter().map(|letter| letter.rejection.reason).collect();
    assert_eq!(reasons.iter().filter(|reason| **reason == Reason::Invalid).count(), 2);
}

#[tokio::test]
async fn rows_with_too_few_cells_or_no_utf8_are_rejected_by_line() {
    let files = Files::new();
    let mut table = b"id,text,date\n1,a\n2,caf\xe9,2026-05-01T10:00:00Z\n".to_vec();
    table.extend_from_slice(b"3,good,2026-05-01T10:00:00Z\n");
    files.write("t.csv", table);
    let report = files.backfill("t.csv").await;
    assert_eq!(report.collected, collected(1, 2));
    let dead = files.dead();
    assert_eq!(dead[0], "t.csv:2: has 2 cells, the header names 3 columns");
    assert!(dead[1].starts_with("t.csv:3: text: byte 4 (0xe9) is no valid UTF-8"), "{dead:?}");
}

#[tokio::test]
async fn a_finished_file_is_not_read_twice_unless_told_to_and_then_has_the_same_ids() {
    let mut files = Files::new();
    files.write("p.jsonl", posts(0..5));
    assert_eq!(files.backfill("p.jsonl").await.collected, collected(5, 0));
    let second = files.backfill("p.jsonl").await;
    assert_eq!(second.outcome, FileOutcome::FinishedBefore(5));
    assert_eq!(second.collected, collected(0, 0));
    files.options.again = true;
    assert_eq!(files.backfill("p.jsonl").await.collected, collected(5, 0));
    let mentions = files.log.mentions();
    assert_eq!(mentions[..5], mentions[5..]);
}

#[tokio::test]
async fn a_backfill_that_was_cut_short_goes_on_where_it_was() {
    let mut files = Files::new();
    files.settings.page_records = 2;
    files.write("p.jsonl", posts(0..7));
    let pattern = files.dir.path().join("p.jsonl").to_str().unwrap().to_owned();
    let origins = expand(&[pattern]).unwrap();
    let options = read_options(&files.settings, &files.options).unwrap();
    let cancel = CancellationToken::new();
    let stop = |_: &_, _, _| cancel.cancel();
    let reports = collector(&files.log).backfill(&origins, options, &cancel, stop).await.unwrap();
    assert_eq!(reports[0].outcome, FileOutcome::Cancelled);
    let first = files.log.state().events.len();
    assert!((2..7).contains(&first), "{first}");
    assert_eq!(files.backfill("p.jsonl").await.outcome, FileOutcome::Finished);
    let expected: Vec<_> = (0..7).map(|n| format!("post {n}")).collect();
    assert_eq!(files.log.texts(), expected);
}

#[tokio::test]
async fn progress_counts_bytes_of_the_file_as_it_lies_there() {
    let files = Files::new();
    let bytes = gzip(posts(0..100).as_bytes());
    let path = files.write("p.gz", &bytes);
    let options = read_options(&files.settings, &files.options).unwrap();
    let origins = expand(&[path.to_str().unwrap().to_owned()]).unwrap();
    let mut seen = Vec::new();
    let cancel = CancellationToken::new();
    let note = |_: &_, progress: echolot_ingest::files::Progress, _| seen.push(progress);
    collector(&files.log).backfill(&origins, options, &cancel, note).await.unwrap();
    let last = seen.last().unwrap();
    assert_eq!((last.bytes_read, last.bytes_total), (bytes.len() as u64, Some(bytes.len() as u64)));
    assert_eq!(last.records, 100);
}

#[tokio::test]
async fn a_truncated_archive_gives_what_is_left_of_it_and_a_clear_error() {
    let text = posts(0..2000);
    for (name, mut bytes) in
        [("p.gz", gzip(text.as_bytes())), ("p.zst", zstd::encode_all(text.as_bytes(), 1).unwrap())]
    {
        bytes.truncate(bytes.len() - 8);
        let files = Files::new();
        files.write(name, bytes);
        let report = files.backfill(name).await;
        let FileOutcome::Failed(told) = report.outcome else { panic!("{:?}", report.outcome) };
        assert!(told.contains("is damaged or ends early behind record"), "{told}");
        assert_eq!(report.collected.accepted, files.log.state().events.len() as u64);
    }
}

#[tokio::test]
async fn a_corrupt_tail_of_a_small_archive_does_not_cost_the_head() {
    let mut bytes = gzip(posts(0..3).as_bytes());
    let length = bytes.len();
    bytes[length - 6] ^= 0xff;
    let files = Files::new();
    files.write("p.gz", bytes);
    let report = files.backfill("p.gz").await;
    assert!(matches!(report.outcome, FileOutcome::Failed(_)), "{:?}", report.outcome);
    assert_eq!(report.collected, collected(3, 0));
}

#[tokio::test]
async fn a_table_without_a_needed_column_says_how_to_name_one() {
    let files = Files::new();
    files.write("t.csv", "key,text,date\n1,a,2026-05-01T10:00:00Z\n");
    let FileOutcome::Failed(told) = files.backfill("t.csv").await.outcome else { panic!() };
    assert!(told.contains("--map id=COLUMN. Its columns: key, text, date"), "{told}");
    files.write("u.csv", "id,text,text,date\n");
    let FileOutcome::Failed(told) = files.backfill("u.csv").await.outcome else { panic!() };
    assert!(told.contains("two columns for `text`"), "{told}");
}

#[tokio::test]
async fn patterns_name_files_in_order_and_one_bad_file_stops_no_other() {
    let files = Files::new();
    files.write("a.jsonl", posts(0..1));
    files.write("b.jsonl", "id;nothing\n");
    files.write("c.jsonl", posts(1..2));
    let reports = files.try_backfill("*.jsonl").await.unwrap();
    assert_eq!(reports[0].outcome, FileOutcome::Finished);
    assert!(matches!(reports[1].outcome, FileOutcome::Failed(_)));
    assert_eq!(reports[2].outcome, FileOutcome::Finished);
    assert_eq!(files.log.texts(), ["post 0", "post 1"]);
    assert!(matches!(files.try_backfill("*.nothing").await, Err(BackfillError::NoFile(_))));
}

#[tokio::test]
async fn an_array_that_breaks_off_keeps_its_elements() {
    let files = Files::new();
    let array = format!("[{}", posts(0..2).trim().replace('\n', ","));
    files.write("a.json", array + ", {\"id\": ");
    let report = files.backfill("a.json").await;
    assert_eq!(report.collected, collected(2, 1));
    assert_eq!(files.dead(), ["a.json, item 3: the array breaks off here, without `]`"]);
}

#[tokio::test]
async fn an_empty_file_is_finished_at_once() {
    let files = Files::new();
    files.write("e.jsonl", "");
    let report = files.backfill("e.jsonl").await;
    assert_eq!((report.outcome, report.collected), (FileOutcome::Finished, collected(0, 0)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_file_makes_the_reader_panic_and_every_record_is_accepted_or_told(
        head in prop::sample::select(vec!["", "[", "{", "id,text,date\n", "\u{1f}\u{8b}", "(\u{b5}/\u{fd}"]),
        bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), prop::sample::select(b"[]{},\"\\:\n 1".to_vec())], 0..300),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let files = Files::new();
        let head: Vec<u8> = head.chars().map(|c| u8::try_from(c).unwrap()).collect();
        files.write("x", [head, bytes].concat());
        let report = runtime.block_on(files.backfill("x"));
        let state = files.log.state();
        prop_assert_eq!(report.collected.accepted, state.events.len() as u64);
        prop_assert_eq!(report.collected.rejected, state.letters.len() as u64);
    }
}
