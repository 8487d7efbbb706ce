//! Reposts written as text: `RT @name: …`.

/// A text that repeats another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repost<'t> {
    /// The account it repeats, without `@`.
    pub author: &'t str,
    /// Where the repeated text begins, in bytes.
    pub body_at: usize,
}

/// Recognises `RT @name: …`, also nested (the last name is the original author), and `♻ @name …`.
pub fn detect(text: &str) -> Option<Repost<'_>> {
    let mut found: Option<Repost<'_>> = None;
    let mut at = 0;
    // Each round reads at least the marker, so a text of markers only ends.
    while let Some(repost) = text.get(at..).and_then(one) {
        at += repost.body_at;
        found = Some(Repost { author: repost.author, body_at: at });
    }
    found
}

fn one(text: &str) -> Option<Repost<'_>> {
    let rest = text.trim_start();
    let marked =
        ["RT ", "rt ", "Rt ", "♻ ", "♻️ "].iter().find_map(|marker| rest.strip_prefix(marker))?;
    let name = marked.trim_start().strip_prefix('@')?;
    let length = name
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@')))
        .unwrap_or(name.len());
    let (author, body) = name.split_at_checked(length).filter(|(author, _)| !author.is_empty())?;
    let body = body.strip_prefix(':').unwrap_or(body);
    Some(Repost { author, body_at: text.len() - body.len() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_original_author_and_text_are_found() {
        let text = "RT @anna: RT @DB_Bahn: Zug fällt aus";
        let repost = detect(text).unwrap();
        assert_eq!(repost.author, "DB_Bahn");
        assert_eq!(text[repost.body_at..].trim(), "Zug fällt aus");
    }

    #[test]
    fn other_texts_are_no_reposts() {
        for text in ["", "RT", "RT this please", "Ich sage RT @anna: x", "RT @", "RT : @a"] {
            assert_eq!(detect(text), None, "{text}");
        }
    }
}
