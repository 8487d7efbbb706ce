//! Mentions as queries see them, and brand files as this stage reads them.

#![expect(clippy::unwrap_used, reason = "a test may fail here")]

use std::fs;

use echolot_brands::{BrandBook, Scratch};
use echolot_pipeline::brands::{BrandFiles, BrandSet, BrandsError, Pseudonymise, seen};
use echolot_schemas::{
    Mention, MentionId, SourceName, Timestamp,
    enriched::{BrandMatch, TextSpan},
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
    !set.find(&seen(mention, language), &[], &mut Scratch::default()).is_empty()
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
    let found =
        |language| limited.find(&seen(&mention, language), &[], &mut Scratch::default()).len();
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
    assert_eq!(brands.asking_for_handles(), ["asks"]);
}

const OWNERS: &str = r#"
    [[brand]]
    name = "Bahn"
    query = "bahn"
    owned_accounts = ["@DB_Bahn", "mastodon:presse"]
    [[brand]]
    name = "Bus"
    query = "bus"
    owned_accounts = ["db_bahn"]
    "#;

/// Shows what it is given, where a key would hide it.
fn plain() -> Pseudonymise {
    Pseudonymise::new(|source, handle| format!("{source}/{handle}"))
}

fn by(pseudonym: &str, handle: Option<&str>) -> Mention {
    let author = Author { pseudonym: pseudonym.to_owned(), handle: handle.map(str::to_owned) };
    Mention { author: Some(author), ..mention("Guten Morgen") }
}

#[test]
fn a_brands_own_accounts_are_found_by_pseudonym_where_no_handle_is_kept() {
    let set = set(OWNERS);
    for (pseudonym, brands) in [
        ("forum/DB_Bahn", &[0][..]),
        ("forum/@DB_Bahn", &[0]),
        ("forum/db_bahn", &[0, 1]),
        ("forum/presse", &[]),
        ("mastodon/db_bahn", &[]),
        ("forum/ada", &[]),
    ] {
        assert_eq!(set.wrote(&by(pseudonym, None), &plain()), brands, "{pseudonym}");
    }
    assert_eq!(set.wrote(&by("x", Some("DB_BAHN")), &plain()), [0, 1], "by its visible handle");
    let nobody = Mention { author: None, ..mention("Guten Morgen") };
    assert!(set.wrote(&nobody, &plain()).is_empty());
}

#[test]
fn what_a_brand_wrote_itself_is_about_it_and_marked_whether_its_query_matches_or_not() {
    let set = set(OWNERS);
    let own = by("forum/db_bahn", None);
    let found = |text: &str| {
        let mention = Mention { text: text.to_owned(), ..own.clone() };
        let own = set.wrote(&mention, &plain());
        let found = set.find(&seen(&mention, "de"), &own, &mut Scratch::default());
        found.into_iter().map(|brand| (brand.brand, brand.owned)).collect::<Vec<_>>()
    };
    let both = [("Bahn".to_owned(), true), ("Bus".to_owned(), true)];
    assert_eq!(found("Guten Morgen"), both);
    assert_eq!(found("Der Bus"), both);
}

#[test]
fn every_brand_of_several_gets_the_part_of_the_text_that_concerns_it() {
    let set = set(OWNERS);
    let parts = |text: &str| {
        let mention = mention(text);
        let found = set.find(&seen(&mention, "de"), &[], &mut Scratch::default());
        let part = |brand: &BrandMatch| {
            let cut = |span: &TextSpan| text[span.start as usize..span.end as usize].to_owned();
            brand.target.iter().map(cut).collect::<Vec<_>>()
        };
        found.iter().map(part).collect::<Vec<_>>()
    };
    let told = parts("Die Bahn ist schön, aber der Bus ist übel.");
    assert_eq!(told, [vec!["Die Bahn ist schön, "], vec!["aber der Bus ist übel."]]);
    assert_eq!(parts("Nur die Bahn. Sonst nichts."), [Vec::<String>::new()], "all of it");
    let shared = parts("Bahn gegen Bus");
    assert_eq!(shared, [Vec::<String>::new(), Vec::new()], "one clause of both is all of it");
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
