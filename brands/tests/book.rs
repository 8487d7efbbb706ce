//! Brand files: what a good book holds, what makes a version, and what callers ask of it.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use echolot_brands::book::Sensitivity;
use echolot_brands::voice::shares;
use echolot_brands::{BrandBook, Matcher, Post, Scratch, targets};

const BAHN: &str = r#"
    name = "Deutsche Bahn"
    group = "Travel"
    query = '"Deutsche Bahn" OR bahn'
    competitors = ["FlixBus"]
    owned_accounts = ["@DB_Bahn", "bluesky:bahn.example"]
    languages = ["de"]
    [alerts]
    sensitivity = "high"
    min_mentions = 20
    channels = ["pr"]
"#;

const REST: &str = r#"
    [[brand]]
    name = "Flixbus"
    group = "Travel"
    query = "flixbus*"

    [[brand]]
    name = "Apple"
    query = "apple -pie"
"#;

fn book() -> BrandBook {
    BrandBook::from_files([("rest.toml", REST), ("bahn.toml", BAHN)]).unwrap()
}

#[test]
fn a_book_is_ordered_by_name_and_found_by_name() {
    let book = book();
    let names: Vec<_> = book.brands().iter().map(|brand| brand.name.as_str()).collect();
    assert_eq!(names, ["Apple", "Deutsche Bahn", "Flixbus"]);
    assert_eq!(book.index_of("FLIXBUS"), Some(2));
    let bahn = book.get(1).unwrap();
    assert_eq!((bahn.alerts.sensitivity, bahn.alerts.min_mentions), (Sensitivity::High, 20));
    assert_eq!(book.get(0).unwrap().group, "Apple");
}

#[test]
fn a_version_follows_the_meaning_and_not_the_layout() {
    let version = |content: &str| {
        BrandBook::from_files([("x", content)]).unwrap().brands()[0].version.clone()
    };
    let plain = version("name = 'A'\nquery = 'a OR b'\nlanguages = ['de', 'en']");
    assert_eq!(plain.len(), 12);
    assert_eq!(plain, version("query = '( a  OR (b) )'\nname = 'A'\nlanguages = ['en', 'de']"));
    assert_ne!(plain, version("name = 'A'\nquery = 'a OR c'\nlanguages = ['de', 'en']"));
    assert_ne!(plain, version("name = 'A'\nquery = 'a OR b'\nlanguages = ['de']"));
    assert_ne!(
        plain,
        version("name = 'A'\nquery = 'a OR b'\nlanguages = ['de', 'en']\nalerts.min_mentions = 3")
    );
}

#[test]
fn a_book_has_the_same_version_whatever_the_order_of_its_files() {
    let turned = BrandBook::from_files([("bahn.toml", BAHN), ("rest.toml", REST)]).unwrap();
    assert_eq!(book().version(), turned.version());
    assert_ne!(book().version(), BrandBook::from_files([("rest.toml", REST)]).unwrap().version());
}

#[test]
fn names_and_competitors_must_fit_together() {
    let errors = BrandBook::from_files([
        ("a", "name = 'Bahn'\nquery = 'a'\ncompetitors = ['Flixbuss', 'Nobody at all']"),
        ("b", "name = 'BAHN'\nquery = 'b'"),
        ("c", "name = 'Flixbus'\nquery = 'c'"),
    ])
    .unwrap_err()
    .to_string();
    for part in
        ["already defined in a", "did you mean `Flixbus`?", "no brand `Nobody at all`; define it"]
    {
        assert!(errors.contains(part), "{errors}");
    }
}

#[test]
fn brands_are_matched_in_their_languages_and_where_the_language_is_unknown() {
    let book = book();
    let matcher = Matcher::compile(&book).unwrap();
    let mut scratch = Scratch::default();
    for (lang, matched) in
        [(Some("de"), true), (Some("de-CH"), true), (None, true), (Some("nl"), false)]
    {
        let post = Post { lang, ..Post::text("de bahn rijdt") };
        assert_eq!(matcher.matches(&post, &mut scratch) == [1], matched, "{lang:?}");
    }
}

#[test]
fn the_brand_s_own_accounts_are_told_apart() {
    let book = book();
    let bahn = book.get(1).unwrap();
    let by = |source, author| Post { source, author: Some(author), ..Post::text("x") };
    assert!(bahn.wrote(&by("mastodon", "db_bahn")));
    assert!(bahn.wrote(&by("Bluesky", "@Bahn.example")));
    assert!(!bahn.wrote(&by("mastodon", "bahn.example")));
    assert!(!bahn.wrote(&by("mastodon", "someone")));
}

#[test]
fn each_matched_brand_gets_its_part_of_the_text() {
    let book = book();
    let matcher = Matcher::compile(&book).unwrap();
    let mut scratch = Scratch::default();
    let text = "Der Flixbus war pünktlich, aber die Bahn fiel wieder aus. Nie mehr!";
    let post = Post::text(text);
    assert_eq!(matcher.matches(&post, &mut scratch), [1, 2]);
    let parts: Vec<String> =
        targets(&matcher, &post, &scratch).iter().map(|target| target.text(text)).collect();
    assert_eq!(parts, ["aber die Bahn fiel wieder aus. Nie mehr!", "Der Flixbus war pünktlich,"]);
}

#[test]
fn a_single_brand_gets_the_whole_text() {
    let book = book();
    let matcher = Matcher::compile(&book).unwrap();
    let mut scratch = Scratch::default();
    let post = Post::text("Toll. Die Bahn ist da. Endlich.");
    matcher.matches(&post, &mut scratch);
    let targets = targets(&matcher, &post, &scratch);
    assert_eq!(targets[0].text(post.text), post.text);
}

#[test]
fn in_a_long_text_a_single_brand_gets_what_is_said_around_its_name() {
    let book = book();
    let matcher = Matcher::compile(&book).unwrap();
    let mut scratch = Scratch::default();
    let mut target = |title: Option<&str>, text: &str| {
        let post = Post { title, ..Post::text(text) };
        assert_eq!(matcher.matches(&post, &mut scratch).len(), 1);
        targets(&matcher, &post, &scratch)[0].text(text)
    };
    let other = "Das Wetter bleibt die ganze Woche lang furchtbar schlecht. ".repeat(20);
    let about = "Eins. Die Bahn ist da. Zwei. Drei. Vier. ";
    let long = format!("{other}{about}{other}");
    assert_eq!(target(None, &long), about.trim());
    // With names throughout, nothing of it concerns anything else.
    let throughout = about.repeat(40);
    assert_eq!(target(None, &throughout), throughout.trim());
    // A name in the title alone is about all of the text.
    assert_eq!(target(Some("Die Bahn im Winter"), &other), other.trim());
}

#[test]
fn shares_of_voice_sum_to_one_in_each_group() {
    let shares = shares(&book(), [(1, 30), (2, 10), (0, 5)]);
    let travel: Vec<(&str, f64)> =
        shares["Travel"].iter().map(|share| (share.brand.as_str(), share.share)).collect();
    assert_eq!(travel, [("Deutsche Bahn", 0.75), ("Flixbus", 0.25)]);
    assert!((shares["Apple"][0].share - 1.0).abs() < f64::EPSILON);
}

#[test]
fn one_scratch_serves_books_of_any_size() {
    let (large, small) =
        (book(), BrandBook::from_files([("x", "name = 'X'\nquery = 'bahn'")]).unwrap());
    let (large, small) = (Matcher::compile(&large).unwrap(), Matcher::compile(&small).unwrap());
    let mut scratch = Scratch::default();
    for _ in 0..3 {
        assert_eq!(large.matches(&Post::text("apple bahn"), &mut scratch), [0, 1]);
        assert_eq!(small.matches(&Post::text("apple bahn"), &mut scratch), [0]);
        assert!(small.matches(&Post::text("apple"), &mut scratch).is_empty());
    }
}
