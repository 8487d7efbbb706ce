//! Keywords in mentions, and what is wrong with brand files.

#![expect(clippy::unwrap_used, reason = "a test may fail here")]

use echolot_enrich::brands::{BRANDS, Brand, BrandMatcher, BrandsError};
use echolot_schemas::{Mention, MentionId, SourceName, Timestamp, mention::Engagement};
use proptest::prelude::*;

const FILE: &str = r##"
    [[brand]]
    name = "Nimbus"
    keywords = ["nimbus", "Nimbus Pro", "Größe XL"]

    [[brand]]
    name = "Lindgrün"
    keywords = ["#lindgrün", "東京", "C++"]
"##;

fn mention(text: &str) -> Mention {
    let source = SourceName::new("forum").unwrap();
    Mention {
        id: MentionId::derive(&source, "1"),
        source,
        native_id: "1".to_owned(),
        text: text.to_owned(),
        title: None,
        url: None,
        published_at: Timestamp::default(),
        edited_at: None,
        declared_language: None,
        author: None,
        parent_id: None,
        thread_id: None,
        engagement: Engagement::default(),
        tags: Vec::new(),
        country: None,
        rating: None,
        internal: false,
    }
}

fn found(matcher: &BrandMatcher, mention: &Mention) -> Vec<String> {
    matcher.matches(mention).into_iter().map(|found| found.brand).collect()
}

fn found_in(text: &str) -> Vec<String> {
    found(&BrandMatcher::parse(FILE).unwrap(), &mention(text))
}

#[test]
fn keywords_are_whole_words_whatever_their_case() {
    for text in [
        "NIMBUS!",
        "(nimbus)",
        "die Nimbus-App",
        "#nimbus",
        "@nimbus",
        "nimbus pro",
        "Nim\u{ad}bus",
        "#NimbusPro",
        "nimbus\n pro",
        "GRÖSSE xl",
        "gro\u{308}ße XL",
    ] {
        assert_eq!(found_in(text), ["Nimbus"], "{text}");
    }
    for text in ["nimbuspro", "cumulonimbus", "nimbus_2", "größe", "nimbü", ""] {
        assert_eq!(found_in(text), [""; 0], "{text}");
    }
}

#[test]
fn a_hashtag_keyword_is_found_as_a_hashtag_only() {
    assert_eq!(found_in("neu: #Lindgrün."), ["Lindgrün"]);
    assert_eq!(found_in("die Wand ist lindgrün"), [""; 0]);
}

#[test]
fn scripts_without_spaces_and_signs_need_no_boundary() {
    assert_eq!(found_in("私は東京です"), ["Lindgrün"]);
    assert_eq!(found_in("wir schreiben C++17"), ["Lindgrün"]);
    assert_eq!(found_in("abc++"), [""; 0]);
}

#[test]
fn title_and_tags_are_searched_and_a_brand_is_named_once() {
    let mut about = mention("Nimbus, nimbus und nochmal Nimbus Pro");
    about.title = Some("Nimbus".to_owned());
    about.tags = vec!["lindgrün".to_owned()];
    let matcher = BrandMatcher::parse(FILE).unwrap();
    assert_eq!(found(&matcher, &about), ["Nimbus", "Lindgrün"]);
}

#[test]
fn a_version_changes_with_meaning_and_not_with_spelling_or_order() {
    let version = |keywords: &[&str]| {
        let keywords = keywords.iter().map(|&keyword| keyword.to_owned()).collect();
        let brand = Brand { name: "a".to_owned(), keywords };
        BrandMatcher::new(&[brand]).unwrap().matches(&mention("x"))[0].version.clone()
    };
    assert_eq!(version(&["x", "Y"]), version(&["y", "X", "x"]));
    assert_ne!(version(&["x", "y"]), version(&["x", "z"]));
}

#[test]
fn everything_wrong_in_a_file_is_reported_at_once() {
    let file = r#"
        [[brand]]
        name = ""
        keywords = ["!!", "ok"]
        [[brand]]
        name = "a"
        keywords = []
        [[brand]]
        name = "a"
        keywords = ["a"]
    "#;
    let Err(BrandsError::Invalid(problems)) = BrandMatcher::parse(file) else { panic!() };
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(
        paths,
        ["brand[0].name", "brand[0].keywords[0]", "brand[1].keywords", "brand[2].name"]
    );
}

#[test]
fn ten_thousand_brands_are_found_and_one_more_is_refused() {
    let brand = |at: usize| Brand { name: format!("b{at}"), keywords: vec![format!("word{at}")] };
    let mut brands: Vec<Brand> = (0..BRANDS).map(brand).collect();
    let matcher = BrandMatcher::new(&brands).unwrap();
    assert_eq!(found(&matcher, &mention("word9999 word0")), ["b0", "b9999"]);
    brands.push(brand(BRANDS));
    assert!(matches!(BrandMatcher::new(&brands), Err(BrandsError::Invalid(_))));
}

proptest! {
    #[test]
    fn no_text_panics_and_a_keyword_between_spaces_is_always_found(text in any::<String>()) {
        let matcher = BrandMatcher::parse(FILE).unwrap();
        matcher.matches(&mention(&text));
        let between = mention(&format!("{text} nimbus {text}"));
        prop_assert!(found(&matcher, &between).iter().any(|brand| brand == "Nimbus"));
    }
}
