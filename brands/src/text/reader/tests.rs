use super::*;

fn cut(text: &str) -> Vec<(String, u32, u32, String)> {
    let mut tokens = Tokens::default();
    tokens.read(None, text);
    tokens
        .forms()
        .iter()
        .map(|form| {
            let sigil =
                form.sigil.map_or(String::new(), |sigil| char::from(sigil.byte()).to_string());
            let original = text[form.byte_from as usize..form.byte_to as usize].to_owned();
            (sigil + tokens.spelling(form), form.start, form.end, original)
        })
        .collect()
}

fn spellings(text: &str) -> Vec<String> {
    cut(text).into_iter().map(|(spelling, ..)| spelling).collect()
}

#[test]
fn words_keep_their_way_back_to_the_original_bytes() {
    assert_eq!(
        cut("Die Müllers"),
        [
            ("die".into(), 0, 0, "Die".into()),
            ("muellers".into(), 1, 1, "Müllers".into()),
            ("mullers".into(), 1, 1, "Müllers".into()),
        ]
    );
    assert_eq!(cut("u\u{308}ber")[0], ("ueber".into(), 0, 0, "u\u{308}ber".into()));
    assert_eq!(cut("Ap\u{200B}ple")[0], ("apple".into(), 0, 0, "Ap\u{200B}ple".into()));
}

#[test]
fn connectors_also_join() {
    assert_eq!(spellings("E-Mail"), ["e", "mail", "email"]);
    assert_eq!(spellings("l’Oréal"), ["l", "oreal", "loreal"]);
    assert_eq!(spellings("E - Mail"), ["e", "mail"]);
    assert_eq!(spellings("Grün-Öl"), ["gruen", "grun", "oel", "ol", "gruenoel", "grunol"]);
}

#[test]
fn tags_are_one_word_with_their_sigil() {
    assert_eq!(spellings("#Deutsche_Bahn!"), ["#deutsche_bahn"]);
    assert_eq!(spellings("@apple.example.org, hi"), ["@apple.example.org", "@apple", "hi"]);
    assert_eq!(spellings("$AAPL kostet $5"), ["$aapl", "kostet", "5"]);
    assert_eq!(spellings("info@bahn.de"), ["info", "bahn", "de"]);
    assert_eq!(spellings("#Fuß_Öl"), ["#fuss_oel", "#fuss_ol"]);
    assert_eq!(spellings("#三星"), ["#三星", "三", "星"]);
}

#[test]
fn links_hold_a_position_and_no_words() {
    let mut tokens = Tokens::default();
    tokens.read(None, "see https://apple.com/iphone. now");
    assert_eq!(tokens.links(), [(Place::Text, 4..28)]);
    assert_eq!(tokens.forms().iter().map(|form| form.start).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn flags_and_skin_tones_are_single_words() {
    assert_eq!(spellings("🇧🇩🇪🇺"), ["🇧🇩", "🇪🇺"]);
    assert_eq!(spellings("👍🏽❤️"), ["👍", "❤"]);
    assert_eq!(spellings("ﾊﾞｽ"), ["バ", "ス"]);
}

#[test]
fn endless_words_are_skipped() {
    assert_eq!(spellings(&format!("{} ok", "x".repeat(5_000))), ["ok"]);
}
