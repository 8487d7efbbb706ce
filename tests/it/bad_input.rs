//! Whatever senders, files and operators get wrong.

use std::fs;

use echolot_harness::posts;

use crate::setup::pipeline;

/// Lines that are no mention, with what is said about each.
fn bad_lines() -> Vec<(Vec<u8>, &'static str)> {
    let with = |id: &str, fields: &str| {
        format!(r#"{{"id":"{id}","published_at":"2026-06-01T10:00:00Z",{fields}}}"#).into_bytes()
    };
    let at = |time: &str| {
        format!(r#"{{"id":"time","text":"Tramio","published_at":"{time}"}}"#).into_bytes()
    };
    let not_utf8 = {
        let mut line = with("bytes", r#""text":"Tramio?""#);
        let mark = line.iter().rposition(|byte| *byte == b'?').unwrap_or_default();
        line[mark] = 0xff;
        line
    };
    vec![
        (b"{\"id\":\"torn\",\"text\":".to_vec(), "EOF"),
        (b"42".to_vec(), "invalid type"),
        (with("type", r#""text":["Tramio"]"#), "expected a string"),
        (br#"{"id":7,"text":"Tramio"}"#.to_vec(), "expected a string"),
        (br#"{"text":"Tramio","published_at":"2026-06-01T10:00:00Z"}"#.to_vec(), "id"),
        (br#"{"id":"no-time","text":"Tramio"}"#.to_vec(), "published_at"),
        (with("", r#""text":"Tramio""#), "id: is empty"),
        (with("empty", r#""text":"""#), "text: is empty"),
        (with("blank", r#""text":" \n\t ""#), "text: is empty"),
        (
            with("long", &format!(r#""text":"{}""#, "Tramio ".repeat(15_000))),
            "text: is 105000 bytes",
        ),
        (not_utf8, "no valid UTF-8"),
        (with("nul", r#""text":"Tramio\u0000""#), "NUL"),
        (with("raw-nul", "\"text\":\"Tramio\0\""), "control character"),
        (at("1970-01-01T00:00:00Z"), "published_at: 1970"),
        (at("2100-01-01T00:00:00Z"), "published_at: 2100"),
        (at("2026-06-01T10:00:00"), "RFC 3339"),
        (with("twice", r#""text":"Tramio","text":"Nordwerk""#), "duplicate field"),
        (with("stars", r#""text":"Tramio","rating":9"#), "rating"),
        (with("link", r#""text":"Tramio","url":"javascript:alert(1)""#), "url"),
        (with("deep", &format!(r#""text":{}"#, "[".repeat(500))), "expected a string"),
    ]
}

#[tokio::test]
async fn bad_items_are_named_with_line_and_reason_and_the_good_ones_go_on() -> anyhow::Result<()> {
    let pipeline = pipeline("bad_push").await?;
    let _roles = pipeline.start().await?;
    let push = pipeline.push()?;
    let bad = bad_lines();
    let mut body = Vec::new();
    for (number, (line, _)) in (0..).zip(&bad) {
        body.extend_from_slice(&posts::lines(&[posts::post("g", number)])?);
        body.extend_from_slice(line);
        body.push(b'\n');
    }
    // Only push is strict about names: a sender can be told, a file's columns are as they are.
    body.extend_from_slice(br#"{"id":"u","published_at":"2026-06-01T10:00:00Z","txt":"Tramio"}"#);
    body.push(b'\n');
    let answer = push.send("application/x-ndjson", body).await?;
    assert_eq!((answer.status, answer.accepted()), (400, bad.len() as u64), "{answer:?}");
    let says = bad.iter().map(|(_, says)| *says).chain(["unknown field `txt`"]);
    assert_eq!(answer.rejected().len(), bad.len() + 1, "{answer:?}");
    for (number, (rejected, says)) in answer.rejected().iter().zip(says).enumerate() {
        // Good and bad lines take turns; the last one has no good one before it.
        let line = if number < bad.len() { 2 * number + 2 } else { 2 * number + 1 };
        assert_eq!(rejected["line"], line, "{rejected}");
        let detail = rejected["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(says), "{says:?} is not in {rejected}");
    }
    let ids = (0..bad.len()).map(|number| format!("g-{number}"));
    pipeline.acknowledged("forum", ids)?;

    // Ten megabytes are not even read.
    let huge = format!(r#"{{"id":"huge","text":"{}"}}"#, "x".repeat(10 << 20));
    let answer = push.send("application/json", huge.into_bytes()).await?;
    assert_eq!(answer.status, 413, "{answer:?}");
    assert_eq!(pipeline.assert_law().await?.stored, bad.len());
    Ok(())
}

#[tokio::test]
async fn bad_lines_of_a_file_become_dead_letters_and_the_good_ones_go_on() -> anyhow::Result<()> {
    let pipeline = pipeline("bad_file").await?;
    let _roles = pipeline.start().await?;
    let mut bad: Vec<_> = bad_lines().into_iter().map(|(line, _)| line).collect();
    // A file's columns may be named in many ways, so a repeated name is the only one left out.
    bad.retain(|line| !String::from_utf8_lossy(line).contains("\"twice\""));
    bad.push(format!(r#"{{"id":"huge","text":"{}"}}"#, "x".repeat(10 << 20)).into_bytes());
    let mut lines = Vec::new();
    for (number, line) in (0..).zip(&bad) {
        lines.extend_from_slice(line);
        lines.push(b'\n');
        lines.extend_from_slice(&posts::lines(&[posts::post("h", number)])?);
    }
    let file = pipeline.folder().join("bad.ndjson");
    fs::write(&file, lines)?;
    let told = pipeline.backfill(&[&file.display().to_string()]).await?;
    let expected = format!("{0} accepted, {0} rejected", bad.len());
    assert!(told.code == Some(1) && told.stdout.contains(&expected), "{told:?}");
    pipeline.acknowledged("files", (0..bad.len()).map(|number| format!("h-{number}")))?;
    let letters = pipeline.until_dead(bad.len()).await?;
    assert!(letters.iter().all(|letter| letter.stage == "ingest" && !letter.detail.is_empty()));
    assert_eq!(pipeline.assert_law().await?.stored, bad.len());
    Ok(())
}

#[tokio::test]
async fn everything_wrong_with_a_configuration_is_told_at_once() -> anyhow::Result<()> {
    let pipeline = pipeline("typos").await?;
    let file = pipeline.folder().join("wrong.toml");
    fs::write(
        &file,
        "[sink.worker]\nlingr = \"1s\"\nbatch_rows = 0\n[enrich]\nthreads = \"many\"\n",
    )?;
    let file = file.display().to_string();
    let told = pipeline
        .tool(&["check", "--offline", "--config", &file, "--set", "kafka.brokerz=x:1"])
        .await?;
    assert_eq!(told.code, Some(2), "{told:?}");
    for wrong in [
        "kafka.brokerz (did you mean kafka.brokers?)",
        "sink.worker.lingr (did you mean sink.worker.linger?)",
        "sink.worker.batch_rows: must be",
        "enrich.threads: invalid type",
    ] {
        assert!(told.stderr.contains(wrong), "{wrong} is not in {}", told.stderr);
    }

    // Mended, the same pipeline runs.
    let _roles = pipeline.start().await?;
    pipeline.push()?.mentions(&[posts::post("c", 1)]).await?;
    pipeline.assert_law().await?;
    Ok(())
}
