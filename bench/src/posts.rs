//! The posts of the load, and the bodies made of them.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
};

use anyhow::{Context, ensure};
use serde::Deserialize;

/// Longest line read from the file.
const LINE_BYTES: u64 = 64 * 1024;

/// Texts of real posts, ready to be sent as submissions again and again under new ids.
///
/// All there is to a submission beyond its id and time is written once, so that making a body
/// costs the driver little: it runs on the same cores as what it measures.
pub(crate) struct Posts {
    /// `"text":"…"}` and a line end, one after the other.
    tails: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

#[derive(Deserialize)]
struct Post {
    text: String,
}

impl Posts {
    /// Reads a zstd-compressed file of JSON lines with a field `text`.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let told = || {
            format!(
                "cannot read the load's posts in {}; name the file with --posts",
                path.display()
            )
        };
        let file = File::open(path).with_context(told)?;
        let mut lines = BufReader::new(zstd::Decoder::new(file).with_context(told)?);
        let (mut tails, mut ends, mut line) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            line.clear();
            let read =
                lines.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line).with_context(told)?;
            if read == 0 {
                break;
            }
            let post: Post = serde_json::from_slice(&line)
                .with_context(|| format!("{}, line {}", path.display(), ends.len() + 1))?;
            tails.extend_from_slice(b"\"text\":");
            serde_json::to_writer(&mut tails, &post.text)?;
            tails.extend_from_slice(b"}\n");
            ends.push(tails.len());
        }
        ensure!(!ends.is_empty(), "{} holds no posts", path.display());
        Ok(Self { tails, ends })
    }

    /// Number of different posts.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// An NDJSON body of `mentions` submissions with ids from `first` on, all published at
    /// `published_at` (RFC 3339). Texts repeat after [`Posts::len`], ids never do.
    pub(crate) fn body(&self, first: u64, mentions: u64, published_at: &str) -> Vec<u8> {
        // About a hundred bytes of text and seventy of the rest.
        let mut body = Vec::with_capacity(usize::try_from(mentions).unwrap_or(0) * 200);
        for number in first..first + mentions {
            let tail = self.tail(number);
            // Writing to a vector cannot fail.
            let _ = write!(body, "{{\"id\":\"{number}\",\"published_at\":\"{published_at}\",");
            body.extend_from_slice(tail);
        }
        body
    }

    fn tail(&self, number: u64) -> &[u8] {
        // A remainder of a length fits the length's type.
        let post = usize::try_from(number % self.ends.len() as u64).unwrap_or_default();
        let start = post.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.tails[start..self.ends[post]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posts(texts: &[&str]) -> Posts {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("posts.jsonl.zst");
        let lines: Vec<String> = texts
            .iter()
            .map(|text| serde_json::json!({ "text": text, "lang": "de" }).to_string())
            .collect();
        let lines = lines.join("\n");
        std::fs::write(&path, zstd::encode_all(lines.as_bytes(), 1).unwrap()).unwrap();
        Posts::read(&path).unwrap()
    }

    #[test]
    fn every_line_of_a_body_is_a_submission_and_ids_go_on_while_texts_repeat() {
        let posts = posts(&["Läuft \"gut\"", "zwei"]);
        assert_eq!(posts.len(), 2);
        let body = posts.body(1, 3, "2026-06-01T12:00:00Z");
        let told: Vec<(String, String)> = body
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| {
                let submission: echolot_schemas::submission::Submission =
                    serde_json::from_slice(line).unwrap();
                assert!(submission.published_at.is_some());
                (submission.id, submission.text.unwrap())
            })
            .collect();
        let expected = [("1", "zwei"), ("2", "Läuft \"gut\""), ("3", "zwei")];
        assert_eq!(told, expected.map(|(id, text)| (id.to_owned(), text.to_owned())));
    }

    #[test]
    fn a_missing_file_is_told_with_the_option_that_names_it() {
        let told = format!("{:#}", Posts::read(Path::new("/nowhere/x.zst")).err().unwrap());
        assert!(told.contains("/nowhere/x.zst") && told.contains("--posts"), "{told}");
    }
}
