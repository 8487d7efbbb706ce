//! A feed's bytes to text, whatever it says its charset is.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// How far into a document its XML declaration is looked for.
const DECLARATION_BYTES: usize = 256;

/// The text of a feed. A byte order mark counts most, then what the server says, then the XML
/// declaration (RFC 7303); where the bytes are none of that, they are read as Windows-1252, which is
/// what mislabelled western feeds are.
pub(super) fn decode(bytes: &[u8], content_type: Option<&str>) -> String {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding.decode(bytes).0.into_owned();
    }
    let labelled = content_type.and_then(charset).or_else(|| declared(bytes)).unwrap_or(UTF_8);
    // A western label is a server's default more often than a fact, any bytes are valid in it, and
    // western text is hardly ever valid UTF-8 by chance.
    let labelled = if labelled == WINDOWS_1252 { UTF_8 } else { labelled };
    let (text, _, wrong) = labelled.decode(bytes);
    if !wrong {
        return text.into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => WINDOWS_1252.decode(bytes).0.into_owned(),
    }
}

fn charset(content_type: &str) -> Option<&'static Encoding> {
    let (_, label) = content_type.split_once("charset=")?;
    Encoding::for_label(label.split(';').next()?.trim_matches([' ', '"', '\'']).as_bytes())
}

fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARATION_BYTES)]);
    if head.len() > 4 && head.as_bytes()[..4] == [b'<', 0, b'?', 0] {
        return Some(encoding_rs::UTF_16LE);
    }
    if head.len() > 4 && head.as_bytes()[..4] == [0, b'<', 0, b'?'] {
        return Some(encoding_rs::UTF_16BE);
    }
    let (_, rest) = head.split_once("encoding=")?;
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let label = rest[1..].split(quote).next()?;
    // The declaration could be read as ASCII, so the document cannot be in UTF-16.
    Encoding::for_label(label.as_bytes()).filter(|found| found.is_ascii_compatible())
}

/// The document as an XML parser likes it: without its declaration, which would name the charset it
/// no longer has, and without what XML forbids.
pub(super) fn clean(text: &str) -> String {
    let text = text.trim_start_matches(|c: char| c != '<' && c != '{');
    let text = match text.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")) {
        Some((_, rest)) => rest.trim_start(),
        None => text,
    };
    text.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_charset_is_seen_through() {
        let latin = b"<?xml version='1.0' encoding='utf-8'?><t>Gr\xfc\xdfe</t>";
        assert!(decode(latin, None).contains("Grüße"));
        assert!(
            decode("<t>Grüße</t>".as_bytes(), Some("text/xml; charset=us-ascii")).contains("Grüße")
        );
        assert!(decode(b"<?xml encoding='iso-8859-1'?><t>\xe4</t>", None).contains('ä'));
        let utf16: Vec<u8> = "\u{feff}<t>ä</t>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(clean(&decode(&utf16, None)), "<t>ä</t>");
    }
}
