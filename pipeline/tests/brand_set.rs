//! Mentions as queries see them, and brand files as this stage reads them.

#![expect(clippy::unwrap_used, reason = "a test may fail here")]

use std::fs;

use echolot_brands::{BrandBook, Scratch};
use echolot_pipeline::brands::{BrandFiles, BrandSet, BrandsError, seen};
use echolot_schemas::{
    Mention, MentionId, SourceName, Timestamp,
    mention::{Author, Engagement},
};

fn mention(text: &str) -> Mention {
    let source = SourceName::new("forum").unwrap();
    Mention {
        id: MentionId::derive(&source, "1"),
        source,
        native_id: "1".to_owned(),
        text: text.to_owned(),
        title: Some("Fahrplan".to_owned()),
        url: Some("https://forum.example/t/1".to_owned()),
        published_at: Timestamp::from_millis(1_780_272_000_000),
        edited_at: None,
        declared_language: None,
        author: Some(Author { pseudonym: "0a".repeat(16), handle: Some("Meta".to_owned()) }),
        parent_id: None,
        thread_id: None,
        engagement: Engagement::default(),
        tags: vec!["tramio-app".to_owned()],
        country: Some("DE".to_owned()),
        rating: Some(2),
        internal: false,
    }
}

fn set(file: &str) -> BrandSet {
    BrandSet::compile(BrandBook::from_files([("brands.toml", file)]).unwrap()).unwrap()
}

fn matches(query: &str, mention: &Mention, language: &str) -> bool {
    let set = set(&format!("name = \"a\"\nquery = '{query}'"));
    !set.find(&seen(mention, language), &mut Scratch::default()).is_empty()
}

#[test]
fn every_field_of_a_mention_can_be_asked_for() {
    let mention = mention("Die Bahn kommt");
    for query in [
        "bahn",
        "fahrplan",
        "lang:de",
        "source:forum",
        "author:meta",
        "site:forum.example",
        "url:forum.example/t",
        "tag:tramio*",
        "country:DE",
        "rating:1..3",
        "date:2026-06-01",
        "bahn NOT is:reply",
        "bahn NOT is:internal",
    ] {
        assert!(matches(query, &mention, "de"), "{query}");
    }
    for query in ["lang:en", "rating:>3", "date:2026-06-02..", "is:reply", "tag:tramio"] {
        assert!(!matches(query, &mention, "de"), "{query}");
    }
}

#[test]
fn an_undetected_language_is_unknown_and_not_a_language() {
    let mention = mention("Die Bahn kommt");
    assert!(!matches("lang:de", &mention, "und"));
    let limited = set("name = \"a\"\nquery = \"bahn\"\nlanguages = [\"de\"]");
    let found = |language| limited.find(&seen(&mention, language), &mut Scratch::default()).len();
    assert_eq!((found("de"), found("und"), found("en")), (1, 1, 0));
}

#[test]
fn an_author_is_found_by_handle_and_never_by_pseudonym() {
    let mut mention = mention("Die Bahn kommt");
    assert!(matches("author:@meta", &mention, "de"));
    if let Some(author) = &mut mention.author {
        author.handle = None;
    }
    assert!(!matches("author:meta", &mention, "de"));
    assert!(!matches("author:0a*", &mention, "de"));
}

#[test]
fn brands_that_ask_for_authors_are_named() {
    let brands = set(r#"
        [[brand]]
        name = "asks"
        query = "bahn NOT (bus OR author:meta)"
        [[brand]]
        name = "owns"
        query = "bahn"
        owned_accounts = ["@meta"]
        [[brand]]
        name = "neither"
        query = "bahn"
        "#);
    assert_eq!(brands.asking_for_handles(), ["asks", "owns"]);
}

#[test]
fn files_are_read_once_each_in_order_and_errors_say_which_and_where() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| format!("{}/{name}", folder.path().display());
    fs::write(at("b.toml"), "name = \"B\"\nquery = \"b1\"").unwrap();
    fs::write(at("a.toml"), "name = \"A\"\nquery = \"a1\"").unwrap();
    let load = |patterns: &[String]| BrandFiles::new(patterns).load();
    let both = load(&[at("*.toml"), at("a.toml")]).unwrap();
    let names: Vec<&str> = both.book().brands().iter().map(|brand| brand.name.as_str()).collect();
    assert_eq!(names, ["A", "B"]);
    assert_eq!(load(&[]).unwrap().book().brands().len(), 0);
    assert!(matches!(load(&[at("*.yaml")]), Err(BrandsError::NoFile(_))));
    assert!(matches!(load(&[at("***")]), Err(BrandsError::Pattern { .. })));

    fs::write(at("c.toml"), b"name = \"\xff\"").unwrap();
    assert!(matches!(load(&[at("*.toml")]), Err(BrandsError::Read { .. })));
    fs::write(at("c.toml"), "name = \"C\"\nquery = \"c1 AND\"").unwrap();
    let rendered = load(&[at("*.toml")]).unwrap_err().render();
    assert!(
        rendered.contains("c.toml:2") && rendered.contains("AND needs something"),
        "{rendered}"
    );
}

#[test]
fn a_file_over_the_limit_is_refused_without_reading_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    fs::write(&path, vec![b'#'; 3 << 20]).unwrap();
    let error = BrandFiles::new(&[path.display().to_string()]).load().unwrap_err();
    assert!(error.to_string().contains("1048577 bytes"), "{error}");
}
