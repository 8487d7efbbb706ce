//! `echolot brands test` and `explain`: one query, one text.

use std::process::ExitCode;

use clap::Args;
use echolot_brands::{Explanation, Matcher, Post, Scratch, query::FieldTest};
use echolot_enrich::{
    language::{self, DetectInput, UNDETERMINED},
    text::normalise,
};
use echolot_pipeline::clock;
use serde_json::json;

use super::{Asked, Wanted, warning_line};
use crate::{settings::Settings, tools::print};

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// The query; brands/README.md describes the language.
    #[arg(long)]
    query: String,
    #[command(flatten)]
    said: Said,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    said: Said,
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
}

/// A mention, published now.
#[derive(Debug, Args)]
struct Said {
    /// The text of the mention.
    #[arg(long)]
    text: String,
    /// Its title.
    #[arg(long)]
    title: Option<String>,
    /// Its language, such as de, or und for unknown; left out: as enrichment detects it.
    #[arg(long)]
    lang: Option<String>,
    /// Name of its source.
    #[arg(long, default_value = "")]
    source: String,
    /// Handle of its author.
    #[arg(long)]
    author: Option<String>,
    /// Where it was published.
    #[arg(long)]
    url: Option<String>,
    /// A tag of its source; may be given again.
    #[arg(long = "tag")]
    tags: Vec<String>,
    /// Its country, such as DE.
    #[arg(long)]
    country: Option<String>,
    /// Its rating in stars.
    #[arg(long)]
    rating: Option<f64>,
    /// It answers another mention.
    #[arg(long)]
    reply: bool,
    /// It comes from inside the company.
    #[arg(long)]
    internal: bool,
}

/// What the query says to a mention.
struct Trial<'a> {
    post: Post<'a>,
    /// Whether the language was detected and not given.
    detected: bool,
    explanation: Explanation,
    /// With the languages that a brand is limited to, which its query does not know of.
    matched: bool,
}

impl Said {
    fn post(&self) -> Post<'_> {
        Post {
            title: self.title.as_deref(),
            text: &self.text,
            lang: self.lang.as_deref().filter(|lang| *lang != UNDETERMINED),
            source: &self.source,
            author: self.author.as_deref(),
            url: self.url.as_deref(),
            tags: &self.tags,
            country: self.country.as_deref(),
            rating: self.rating,
            created: Some(clock::now().as_millis().div_euclid(1000)),
            is_reply: self.reply,
            internal: self.internal,
        }
    }

    /// The language that enrichment would find.
    fn detect(&self, settings: &Settings) -> anyhow::Result<Option<&'static str>> {
        let detector = language::detector(&settings.enrich)?;
        let text = normalise(&[self.title.as_deref().unwrap_or_default(), &self.text].join("\n"));
        let found = detector.detect(&[DetectInput { text: &text, hint: None }]);
        Ok(found.first().map(|found| found.code).filter(|code| *code != UNDETERMINED))
    }
}

impl Wanted {
    fn asks_for_language(&self) -> bool {
        !self.languages.is_empty()
            || self.query.fields().iter().any(|test| matches!(test, FieldTest::Lang(_)))
    }

    fn try_on<'a>(&self, said: &'a Said, settings: &Settings) -> anyhow::Result<Trial<'a>> {
        let mut post = said.post();
        let detected = said.lang.is_none();
        if detected {
            post.lang = said.detect(settings)?;
        }
        let matcher = Matcher::from_queries([(&self.query, self.languages.as_slice())])?;
        let mut scratch = Scratch::default();
        let found = matcher.matches(&post, &mut scratch);
        let explanation = self.query.explain(&post)?;
        Ok(Trial { explanation, post, detected, matched: !found.is_empty() })
    }
}

impl Trial<'_> {
    /// The language where it was asked for; a wrong one explains a wrong answer.
    fn language_line(&self, wanted: &Wanted) -> Option<String> {
        let how = if self.detected { "detected; --lang gives another" } else { "as given" };
        let language = self.post.lang.unwrap_or("unknown");
        wanted.asks_for_language().then(|| format!("language: {language} ({how})"))
    }
}

pub(super) fn test(settings: &Settings, args: &TestArgs) -> anyhow::Result<ExitCode> {
    let wanted = match Wanted::parse(&args.query) {
        Ok(wanted) => wanted,
        Err(refusal) => return Ok(refusal.tell(args.json)),
    };
    let trial = wanted.try_on(&args.said, settings)?;
    let unknown = &trial.explanation.unknown;
    if args.json {
        let answer = json!({
            "matched": trial.matched,
            "query": wanted.query.format(),
            "language": trial.post.lang,
            "language_detected": trial.detected,
            "unknown": unknown,
            "warnings": wanted.warnings,
        });
        print(answer.to_string());
    } else {
        print(if trial.matched { "match" } else { "no match" });
        trial.language_line(&wanted).into_iter().for_each(print);
        if !unknown.is_empty() {
            let options: Vec<_> = unknown.iter().map(|field| option(field)).collect();
            print(format!(
                "unknown of the mention, so such tests are false: {}; give {}",
                unknown.join(", "),
                options.join(", ")
            ));
        }
        wanted.warnings.iter().map(warning_line).for_each(print);
    }
    Ok(if trial.matched { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The option that tells what a field asks for.
fn option(field: &str) -> String {
    match field {
        "site" => "--url".to_owned(),
        field => format!("--{field}"),
    }
}

pub(super) fn explain(settings: &Settings, args: &ExplainArgs) -> anyhow::Result<ExitCode> {
    let wanted = match Wanted::of(settings.clone(), &args.asked) {
        Ok(wanted) => wanted,
        Err(refusal) => return Ok(refusal.tell(args.json)),
    };
    let trial = wanted.try_on(&args.said, settings)?;
    let Trial { post, explanation, matched, .. } = &trial;
    if args.json {
        let answer = json!({
            "matched": matched,
            "query": wanted.query.format(),
            "query_matched": explanation.matched,
            "language": post.lang,
            "language_detected": trial.detected,
            "languages": wanted.languages,
            "terms": explanation.terms,
            "unknown": explanation.unknown,
            "warnings": wanted.warnings,
        });
        print(answer.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    print(wanted.query.format());
    print(explanation.render(post).trim_end());
    trial.language_line(&wanted).into_iter().for_each(print);
    if *matched != explanation.matched {
        print(format!("no match for the brand: it is limited to {}", wanted.languages.join(", ")));
    }
    wanted.warnings.iter().map(warning_line).for_each(print);
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::super::{BrandsCommand, run};
    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: BrandsCommand,
    }

    fn settings(data: &Path) -> Settings {
        Settings::load(None, &[format!("data.dir={}", data.display())]).unwrap()
    }

    /// The exit status of `echolot brands …`, which prints a `ExitCode` but does not compare.
    fn status(settings: Settings, line: &[&str]) -> String {
        let line = Line::try_parse_from(std::iter::once(&"brands").chain(line)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        format!("{:?}", runtime.block_on(run(settings, line.command)).unwrap())
    }

    fn code(number: u8) -> String {
        format!("{:?}", ExitCode::from(number))
    }

    #[test]
    fn test_exits_0_on_a_match_1_without_and_2_on_an_error() {
        let folder = Path::new("/nonexistent");
        for json in [&[][..], &["--json"]] {
            for (query, expected) in [("tram*", 0), ("bus", 1), ("tram AND (", 2), ("", 2)] {
                let line =
                    [&["test", "--query", query, "--text", "Die Tramio kommt"], json].concat();
                assert_eq!(status(settings(folder), &line), code(expected), "{query}");
            }
        }
    }

    #[test]
    fn the_language_is_detected_unless_it_is_given() {
        let test = |line: &[&str]| {
            let line = [&["test", "--text", "Die Bahn ist heute schon wieder zu spät"], line];
            status(settings(Path::new("/nonexistent")), &line.concat())
        };
        assert_eq!(test(&["--query", "bahn lang:de"]), code(0));
        assert_eq!(test(&["--query", "bahn lang:en"]), code(1));
        assert_eq!(test(&["--query", "bahn lang:en", "--lang", "en"]), code(0));
        assert_eq!(test(&["--query", "bahn lang:de", "--lang", "und"]), code(1));
    }

    #[test]
    fn every_field_of_a_mention_can_be_given() {
        let line = [
            "test",
            "--query",
            "lang:de source:forum author:meta url:a.example tag:app country:DE rating:2 is:reply is:internal date:2026-01-01..",
            "--text",
            "x",
            "--lang",
            "de",
            "--source",
            "forum",
            "--author",
            "@meta",
            "--url",
            "https://a.example/1",
            "--tag",
            "app",
            "--country",
            "DE",
            "--rating",
            "2",
            "--reply",
            "--internal",
        ];
        assert_eq!(status(settings(Path::new("/nonexistent")), &line), code(0));
    }

    #[test]
    fn brands_are_those_of_the_data_folder_where_none_are_configured() {
        let data = std::env::temp_dir().join(format!("echolot-brands-{}", std::process::id()));
        let folder = data.join("brands");
        let explain = ["explain", "--brand", "Tramio", "--text", "Die Tramio kommt"];
        assert_eq!(status(settings(&data), &explain), code(2), "there is no folder yet");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("a.toml"), "name = \"Tramio\"\nquery = \"tramio\"\n").unwrap();
        assert_eq!(status(settings(&data), &["check"]), code(0));
        assert_eq!(status(settings(&data), &explain), code(0));
        let unknown = ["explain", "--brand", "Trambus", "--text", "x", "--json"];
        assert_eq!(status(settings(&data), &unknown), code(2));
        std::fs::write(folder.join("a.toml"), "name = \"Tramio\"\nquery = \"tramio AND\"\n")
            .unwrap();
        assert_eq!(status(settings(&data), &["check"]), code(1));
        assert_eq!(status(settings(&data), &["check", "--json"]), code(1));
        assert_eq!(status(settings(&data), &explain), code(2));
        std::fs::remove_dir_all(&data).unwrap();
    }

    #[test]
    fn a_query_or_a_brand_is_asked_for_and_not_both() {
        for asked in [&[][..], &["--query", "a", "--brand", "b"]] {
            let line = [&["brands", "explain", "--text", "x"], asked].concat();
            assert!(Line::try_parse_from(line).is_err());
        }
    }
}
