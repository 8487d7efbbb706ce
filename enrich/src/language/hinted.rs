//! The first detector: whichlang's vote, function words and the source's hint, weighed openly.
//!
//! whichlang 0.1 names the best of sixteen languages, but neither how sure it is nor the second
//! best. So the probability is built from evidence that can be counted. Every allowed language
//! that is written in the text's script, and `und`, collects points; a softmax makes them
//! probabilities:
//!
//! | evidence | points |
//! |---|---|
//! | whichlang votes for it | grows with the letters: 0.45 × √letters, at most 4.5 |
//! | … for a language not allowed | the same, for `und` |
//! | each function word of its own | 1.6, shared words less, at most 8 in all |
//! | five words or more, none of them its function words | -0.35 a word, at most -3 |
//! | each letter with a diacritic that it does not write (`ł`, for every language here) | -1, at most -6 |
//! | the source declares it | 3 |
//! | it is the only allowed language of a script other than Latin | 3 |
//! | `und` | 2 to begin with |
//!
//! Below the configured confidence, or with `und` in front, the answer is `und`. A text without
//! letters has no language, whatever the source declares. How often the answer is right at which
//! confidence is shown by `cargo run --example detect_tsv`.

use echolot_schemas::enriched::ModelRef;
use whichlang::Lang;

use super::{
    DetectInput, Detected, LanguageDetector, UNDETERMINED, declares,
    evidence::{Evidence, FUNCTION_WORDS, Script, Set, Witnesses},
};
use crate::model::model_ref;

/// A language this detector knows.
#[derive(Debug)]
pub struct KnownLanguage {
    /// ISO 639-1.
    pub code: &'static str,
    vote: Lang,
    script: Script,
    /// Lower-case letters that it writes besides those of ASCII, for languages in Latin script.
    pub(super) letters: &'static str,
}

const fn known(
    code: &'static str,
    vote: Lang,
    script: Script,
    letters: &'static str,
) -> KnownLanguage {
    KnownLanguage { code, vote, script, letters }
}

/// Every language that whichlang tells apart.
pub const LANGUAGES: [KnownLanguage; 16] = [
    known("ar", Lang::Ara, Script::Arabic, ""),
    known("de", Lang::Deu, Script::Latin, "äöüßéà"),
    known("en", Lang::Eng, Script::Latin, "éïèà"),
    known("es", Lang::Spa, Script::Latin, "áéíñóúü"),
    known("fr", Lang::Fra, Script::Latin, "àâæçéèêëîïôœùûüÿ"),
    known("hi", Lang::Hin, Script::Devanagari, ""),
    known("it", Lang::Ita, Script::Latin, "àèéìíîòóù"),
    known("ja", Lang::Jpn, Script::Japanese, ""),
    known("ko", Lang::Kor, Script::Hangul, ""),
    known("nl", Lang::Nld, Script::Latin, "éëïóöüèêá"),
    known("pt", Lang::Por, Script::Latin, "áâãàçéêíóôõúü"),
    known("ru", Lang::Rus, Script::Cyrillic, ""),
    known("sv", Lang::Swe, Script::Latin, "åäöéà"),
    known("tr", Lang::Tur, Script::Latin, "çğıöşüâî"),
    known(
        "vi",
        Lang::Vie,
        Script::Latin,
        "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ",
    ),
    known("zh", Lang::Cmn, Script::Han, ""),
];

/// Points for each kind of evidence, as the module documents them.
#[derive(Clone, Copy, Debug)]
struct Points {
    per_root_letter: f32,
    most_vote: f32,
    function_word: f32,
    most_function_words: f32,
    missing: f32,
    most_missing: f32,
    foreign_letter: f32,
    most_foreign_letters: f32,
    hint: f32,
    only_in_script: f32,
    undetermined: f32,
}

const POINTS: Points = Points {
    per_root_letter: 0.45,
    most_vote: 4.5,
    function_word: 1.6,
    most_function_words: 8.0,
    missing: 0.35,
    most_missing: 3.0,
    foreign_letter: 1.0,
    most_foreign_letters: 6.0,
    hint: 3.0,
    only_in_script: 3.0,
    undetermined: 2.0,
};

/// Fewer words than this need not hold a function word.
const WORDS: u32 = 5;

/// A detector that cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DetectorError {
    /// A code that is not in [`LANGUAGES`].
    #[error("language {0:?} is unknown to this detector; it knows {known}", known = codes())]
    Unknown(String),
    /// The embedded list is broken.
    #[error("enrich/lexicons/function_words.tsv: {0:?} is no row of language and words")]
    FunctionWords(&'static str),
}

fn codes() -> String {
    LANGUAGES.map(|language| language.code).join(" ")
}

/// The detector `whichlang-hinted`.
#[derive(Debug)]
pub struct HintedWhichlang {
    model: ModelRef,
    witnesses: Witnesses,
    allowed: Set,
    least: f32,
}

impl HintedWhichlang {
    /// A detector that answers with one of `allowed` when at least `least` sure, else `und`.
    pub fn new(allowed: &[String], least: f32) -> Result<Self, DetectorError> {
        let mut set: Set = 0;
        for code in allowed {
            let at = LANGUAGES.iter().position(|language| language.code == code);
            set |=
                1 << at.ok_or_else(|| DetectorError::Unknown(code.chars().take(40).collect()))?;
        }
        let parameters = format!("{POINTS:?} {WORDS} {set} {least} {LANGUAGES:?}");
        let parts: [&[u8]; 3] =
            [b"whichlang 0.1", FUNCTION_WORDS.as_bytes(), parameters.as_bytes()];
        Ok(Self {
            model: model_ref("whichlang-hinted", "1", &parts),
            witnesses: Witnesses::new()?,
            allowed: set,
            least,
        })
    }

    fn judge(&self, input: &DetectInput<'_>, scratch: &mut String) -> Detected {
        let evidence = self.witnesses.read(input.text, scratch);
        let Some(script) = evidence.script else {
            return Detected { code: UNDETERMINED, confidence: 0.0 };
        };
        let (points, undetermined) = self.weigh(input, &evidence, script);
        let best =
            (0..LANGUAGES.len()).max_by(|a, b| points[*a].total_cmp(&points[*b])).unwrap_or(0);
        let most = points[best].max(undetermined);
        let all: f32 =
            points.iter().chain([&undetermined]).map(|points| (points - most).exp()).sum();
        let confidence = (points[best] - most).exp() / all;
        if points[best] > undetermined && confidence >= self.least {
            Detected { code: LANGUAGES[best].code, confidence }
        } else {
            Detected { code: UNDETERMINED, confidence: 1.0 - confidence }
        }
    }

    /// Points by language and for `und`.
    fn weigh(
        &self,
        input: &DetectInput<'_>,
        evidence: &Evidence,
        script: Script,
    ) -> ([f32; LANGUAGES.len()], f32) {
        let vote = whichlang::detect_language(input.text);
        let weight =
            (POINTS.per_root_letter * (evidence.letters as f32).sqrt()).min(POINTS.most_vote);
        let candidate = |at: usize| self.allowed >> at & 1 == 1 && LANGUAGES[at].script == script;
        let candidates = (0..LANGUAGES.len()).filter(|at| candidate(*at)).count();
        let mut points = [f32::NEG_INFINITY; LANGUAGES.len()];
        let mut undetermined = POINTS.undetermined;
        for (at, language) in LANGUAGES.iter().enumerate() {
            let voted = language.vote == vote;
            if !candidate(at) {
                undetermined += if voted { weight } else { 0.0 };
                continue;
            }
            let own = evidence.function_words[at];
            let mut sum = (POINTS.function_word * own).min(POINTS.most_function_words);
            if voted {
                sum += weight;
            }
            if script == Script::Latin && own == 0.0 && evidence.words >= WORDS {
                sum -= (POINTS.missing * evidence.words as f32).min(POINTS.most_missing);
            }
            let foreign = POINTS.foreign_letter * f32::from(evidence.foreign_letters[at]);
            sum -= foreign.min(POINTS.most_foreign_letters);
            if input.hint.is_some_and(|hint| declares(hint, language.code)) {
                sum += POINTS.hint;
            }
            if candidates == 1 && script != Script::Latin {
                sum += POINTS.only_in_script;
            }
            points[at] = sum;
        }
        (points, undetermined)
    }
}

impl LanguageDetector for HintedWhichlang {
    fn model(&self) -> &ModelRef {
        &self.model
    }

    fn detect(&self, texts: &[DetectInput<'_>]) -> Vec<Detected> {
        let mut scratch = String::new();
        texts.iter().map(|input| self.judge(input, &mut scratch)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(allowed: &[&str], text: &str, hint: Option<&str>) -> Detected {
        let allowed: Vec<String> = allowed.iter().map(|&code| code.to_owned()).collect();
        let detector = HintedWhichlang::new(&allowed, 0.5).unwrap();
        detector.detect(&[DetectInput { text, hint }])[0]
    }

    const USUAL: [&str; 6] = ["de", "en", "es", "fr", "it", "pt"];

    #[test]
    fn sentences_are_told_apart_without_a_hint() {
        for (text, code) in [
            ("Die Bahn kommt heute schon wieder nicht und keiner weiß warum", "de"),
            ("The train is late again and nobody knows why", "en"),
            ("Le train est encore en retard et personne ne sait pourquoi", "fr"),
            ("El tren llega tarde otra vez y nadie sabe por qué", "es"),
            ("Il treno è di nuovo in ritardo e nessuno sa perché", "it"),
            ("O trem está atrasado de novo e ninguém sabe por que não", "pt"),
        ] {
            let detected = judge(&USUAL, text, None);
            assert_eq!(detected.code, code, "{text}");
            assert!(detected.confidence > 0.8, "{text}: {}", detected.confidence);
        }
    }

    #[test]
    fn a_hint_decides_a_short_text_and_does_not_overrule_a_clear_one() {
        assert_eq!(judge(&USUAL, "Top Service", None).code, UNDETERMINED);
        assert_eq!(judge(&USUAL, "Top Service", Some("de-AT")).code, "de");
        let clear = "The train is late again and nobody knows why";
        assert_eq!(judge(&USUAL, clear, Some("de")).code, "en");
    }

    #[test]
    fn a_language_outside_of_the_list_is_undetermined() {
        let polish = "Pociąg znowu się spóźnia i nikt nie wie dlaczego tak jest";
        assert_eq!(judge(&USUAL, polish, None).code, UNDETERMINED);
        let russian = "Поезд снова опаздывает, и никто не знает почему";
        assert_eq!(judge(&USUAL, russian, Some("de")).code, UNDETERMINED);
        assert_eq!(judge(&["de", "ru"], russian, None).code, "ru");
    }

    #[test]
    fn what_has_no_letters_has_no_language() {
        for text in ["", "😀😀", "12:30 !!!", "http @user"] {
            let detected = judge(&USUAL, text, Some("de"));
            assert_eq!((detected.code, detected.confidence), (UNDETERMINED, 0.0), "{text}");
        }
    }

    #[test]
    fn an_unknown_code_is_refused_with_the_known_ones() {
        let error = HintedWhichlang::new(&["xx".to_owned()], 0.5).unwrap_err();
        assert!(error.to_string().contains("\"xx\""));
        assert!(error.to_string().contains(" de en "));
    }
}
