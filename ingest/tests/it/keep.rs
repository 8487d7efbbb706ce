//! Sources that keep matches only.

use std::collections::VecDeque;

use bytes::Bytes;
use echolot_brands::BrandBook;
use echolot_ingest::{
    collector::Collector,
    keep::{Admission, Keep, KeepRule},
    observe::Observer,
    push,
    rejected::Place,
    source::{Observation, Page, Source, SourceFault},
};
use echolot_pipeline::brands::{BrandSet, LiveBrands};
use echolot_schemas::{
    RawEvent, SourceName, cursor::CursorRecord, dead_letter::Reason, submission::Submission,
};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    log::{MemoryLog, NOW, clock, collector, metrics, observer, settings, source},
    push::{configured, line, open, send},
};

const BOOK: &str = r#"
    [[brand]]
    name = "Tramio"
    query = "tramio OR (trambus lang:de)"
    owned_accounts = ["@Tramio_Info", "forum:presse"]

    [[brand]]
    name = "Busse"
    query = "autobus -author:spam"
    languages = ["de"]
"#;

fn set(file: &str) -> BrandSet {
    BrandSet::compile(BrandBook::from_files([("brands.toml", file)]).unwrap()).unwrap()
}

fn knowing(brands: &LiveBrands) -> Observer {
    observer(&settings()).with_brands(brands.clone())
}

fn submission(id: &str, text: &str) -> Submission {
    Submission {
        id: id.to_owned(),
        text: Some(text.to_owned()),
        published_at: Some(NOW),
        ..Submission::default()
    }
}

fn by(author: &str, text: &str) -> Submission {
    Submission { author: Some(author.to_owned()), ..submission("1", text) }
}

fn observed(keep: &mut Keep, observer: &Observer, said: Submission) -> Option<RawEvent> {
    keep.observe(observer, &source("forum"), said, NOW).unwrap()
}

/// Whether a source that keeps matches only keeps this.
fn kept(said: Submission) -> bool {
    let observer = knowing(&LiveBrands::new(set(BOOK)));
    let mut keep = observer.keep(KeepRule::Matches);
    observed(&mut keep, &observer, said).is_some()
}

#[test]
fn what_some_brand_is_about_is_kept_and_the_rest_is_filtered() {
    assert!(kept(submission("1", "Die Tramio kommt")));
    assert!(!kept(submission("1", "Nichts kommt")));
    assert!(kept(Submission { title: Some("Tramio".to_owned()), ..submission("1", "kommt") }));
}

#[test]
fn a_brand_that_asks_for_a_language_keeps_what_may_turn_out_to_be_in_it() {
    assert!(kept(submission("1", "Der Trambus kommt")), "lang:de may hold");
    assert!(kept(submission("1", "Der Autobus kommt")), "so may the languages of the brand");
}

#[test]
fn deletions_and_edits_always_pass_since_what_they_are_about_may_have_been_kept() {
    assert!(kept(Submission { deleted: true, ..submission("1", "") }));
    assert!(kept(Submission { edited_at: Some(NOW), ..submission("1", "Nichts mehr davon") }));
}

#[test]
fn what_owned_accounts_write_is_kept_by_their_visible_handles_and_no_handle_stays() {
    for author in ["Tramio_Info", "@tramio_info", "Presse"] {
        assert!(kept(by(author, "Guten Morgen")), "{author}");
    }
    assert!(!kept(by("ada", "Guten Morgen")));
    assert!(!kept(by("spam", "autobus")), "authors are compared though no handle is kept");
    let observer = knowing(&LiveBrands::new(set(BOOK)));
    let mut keep = observer.keep(KeepRule::Matches);
    let event = observed(&mut keep, &observer, by("Tramio_Info", "Guten Morgen")).unwrap();
    let RawEvent::Observed(event) = event else { panic!("{event:?}") };
    assert_eq!(event.mention.author.unwrap().handle, None);
}

#[test]
fn internal_authors_are_not_looked_at() {
    let mut settings = settings();
    settings.ingest.internal_sources = vec!["forum".to_owned()];
    let observer = observer(&settings).with_brands(LiveBrands::new(set(BOOK)));
    let mut keep = observer.keep(KeepRule::Matches);
    assert_eq!(observed(&mut keep, &observer, by("Presse", "Guten Morgen")), None);
}

#[test]
fn a_source_that_keeps_all_filters_nothing_and_one_without_brands_keeps_none() {
    let observer = observer(&settings());
    let event = observer.observe(&source("forum"), submission("1", "x"), NOW).unwrap();
    assert_eq!(observer.keep(KeepRule::All).admits(&event, None), Admission::Kept);
    assert_eq!(observer.keep(KeepRule::Matches).admits(&event, None), Admission::Filtered);
}

#[test]
fn a_changed_brand_applies_from_the_next_page_on() {
    let brands = LiveBrands::new(set(BOOK));
    let observer = knowing(&brands);
    let mut page = observer.keep(KeepRule::Matches);
    brands.replace(set("name = \"Seilbahn\"\nquery = \"gondel\""));
    assert!(
        observed(&mut page, &observer, submission("1", "tramio")).is_some(),
        "one page, one set"
    );
    let mut page = observer.keep(KeepRule::Matches);
    assert!(observed(&mut page, &observer, submission("1", "tramio")).is_none());
    assert!(observed(&mut page, &observer, submission("1", "gondel")).is_some());
}

#[test]
fn a_refused_mention_is_refused_whether_it_matches_or_not() {
    let observer = knowing(&LiveBrands::new(set(BOOK)));
    let mut keep = observer.keep(KeepRule::Matches);
    let refused = keep.observe(&observer, &source("forum"), submission("1", ""), NOW);
    assert_eq!(refused.unwrap_err().reason, Reason::Invalid);
}

/// A source that keeps matches only and says one page.
struct Choosy(SourceName, VecDeque<Page>);

impl Source for Choosy {
    fn name(&self) -> &SourceName {
        &self.0
    }

    fn keep(&self) -> KeepRule {
        KeepRule::Matches
    }

    async fn resume(&mut self, _: Option<CursorRecord>) -> Result<(), SourceFault> {
        Ok(())
    }

    async fn next_page(&mut self) -> Result<Option<Page>, SourceFault> {
        Ok(self.1.pop_front())
    }
}

#[tokio::test]
async fn the_collector_filters_counts_and_saves_the_cursor_behind_what_it_left_out() {
    let log = MemoryLog::default();
    let brands = LiveBrands::new(set(BOOK));
    let collector = Collector { observer: knowing(&brands), ..collector(&log) };
    let observation = |(id, text): (&str, &str)| Observation {
        source: source("forum"),
        submission: submission(id, text),
        place: Place::NativeId(id.to_owned()),
        original: Bytes::new(),
        followed: false,
    };
    let page = |said: &[(&str, &str)], cursor: &str| Page {
        observations: said.iter().copied().map(observation).collect(),
        rejected: Vec::new(),
        cursor: Some(cursor.to_owned()),
        ..Page::default()
    };
    let pages = [page(&[("1", "tramio"), ("2", "nichts")], "7"), page(&[("3", "nichts")], "8")];
    let mut source = Choosy(source("forum"), pages.into());
    let mut collected = Vec::new();
    let cancel = CancellationToken::new();
    collector.run(&mut source, &cancel, |page| collected.push(page)).await.unwrap();
    assert_eq!(collected.iter().map(|page| page.filtered).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(log.texts(), ["tramio"]);
    assert_eq!(log.state().journal, ["publish 1", "save 7", "save 8"]);
}

#[tokio::test]
async fn what_a_followed_account_says_is_kept_whatever_the_brands_say() {
    let log = MemoryLog::default();
    let brands = LiveBrands::new(set(BOOK));
    let collector = Collector { observer: knowing(&brands), ..collector(&log) };
    let said = |id, followed| Observation {
        followed,
        ..Observation::new(&source("forum"), submission(id, "nichts"), Bytes::new())
    };
    let page = Page { observations: vec![said("1", true), said("2", false)], ..Page::default() };
    let mut source = Choosy(source("forum"), [page].into());
    collector.run(&mut source, &CancellationToken::new(), |_| ()).await.unwrap();
    assert_eq!(log.state().journal, ["publish 1"]);
}

#[tokio::test]
async fn a_sender_is_told_how_many_of_its_mentions_were_left_out() {
    let settings = configured(|push| {
        push.senders.get_mut("open").unwrap().keep = KeepRule::Matches;
    });
    let log = MemoryLog::default();
    let observer = observer(&settings).with_brands(LiveBrands::new(set(BOOK)));
    let push = &settings.ingest.push;
    let router = push::router(push, log.clone(), observer, metrics(), clock()).unwrap();
    let body = format!("[{}, {}]", line("1", "tramio"), line("2", "nichts"));
    let answer = send(&router, open(body)).await;
    assert_eq!((answer.status.as_u16(), answer.body), (202, json!({"accepted": 1, "filtered": 1})));
    assert_eq!(log.texts(), ["tramio"]);
}
