//! References: `&amp;`, `&#228;`, and the names of HTML, which feeds use without declaring them.
//!
//! Entities that a document declares itself are never expanded, so there is nothing to blow up.

use quick_xml::escape::resolve_predefined_entity;

use crate::text;

/// What a reference between `&` and `;` stands for; itself where nobody knows.
pub(super) fn referred(name: &str) -> String {
    if let Some(predefined) = resolve_predefined_entity(name) {
        return predefined.to_owned();
    }
    let whole = format!("&{name};");
    // The HTML tokenizer also knows what numbers mean that stand for Windows-1252.
    let read = text::of_html(&whole);
    if read.is_empty() { " ".to_owned() } else { read }
}

/// A text with its references resolved.
pub(super) fn resolve(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        out.push_str(before);
        // The longest name in HTML has 32 characters.
        let end = behind.bytes().take(33).position(|byte| byte == b';');
        if let Some(end) = end.filter(|end| *end > 0) {
            out.push_str(&referred(&behind[..end]));
            rest = &behind[end + 1..];
        } else {
            out.push('&');
            rest = behind;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_of_xml_and_html_are_resolved_and_others_stay() {
        assert_eq!(resolve("a&amp;b &uuml;&#228;&#x20AC; &lt;"), "a&b üä€ <");
        assert_eq!(resolve("don&#146;t"), "don’t");
        assert_eq!(resolve("?a=1&b=2&c;"), "?a=1&b=2&c;");
        assert_eq!(resolve("Q&A & ä&"), "Q&A & ä&");
    }
}
