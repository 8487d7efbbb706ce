//! Through the elements of a document, holding only the way down to the present one.

use std::rc::Rc;

use echolot_pipeline::stage::Rejection;
use quick_xml::{
    NsReader,
    events::{BytesStart, Event},
    name::ResolveResult,
};
use url::Url;

use super::{
    Translated,
    attributes::Attributes,
    construct::Construct,
    entry::{EntryParts, Value},
    field::{Field, Vocabulary, field},
    reference::referred,
};
use crate::submission::malformed;

/// Deepest nesting of elements that is read.
const DEPTH: usize = 256;

/// What an open element is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Holds entries, and what is said of all of them.
    Feed,
    Entry,
    /// Groups elements of an entry's media.
    Group,
    /// Is taken down.
    Field(Field, u8),
    /// Stands inside of one that is taken down.
    Inside,
    /// Says nothing to us.
    Passed,
}

#[derive(Debug)]
struct Frame {
    /// As the document writes it, for its end.
    name: String,
    role: Role,
    base: Option<Rc<Url>>,
    language: Option<Rc<str>>,
}

pub(super) struct Walk {
    base: Option<Rc<Url>>,
    most: usize,
    frames: Vec<Frame>,
    /// The namespace of the root element is the feed's own, whatever it is.
    home: Option<String>,
    /// True in Atom, where text without a type is plain.
    atom: bool,
    taken: Option<(Construct, Attributes)>,
    feed: EntryParts,
    entry: Option<EntryParts>,
    entries: usize,
    out: String,
}

impl Walk {
    pub(super) fn new(base: Option<&Url>, most: usize) -> Self {
        Self {
            base: base.cloned().map(Rc::new),
            most,
            frames: Vec::new(),
            home: None,
            atom: false,
            taken: None,
            feed: EntryParts::default(),
            entry: None,
            entries: 0,
            out: String::new(),
        }
    }

    pub(super) fn through(mut self, xml: &str) -> Result<Translated, Rejection> {
        let mut reader = NsReader::from_str(xml);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        config.expand_empty_elements = true;
        let mut broken = None;
        while self.entries < self.most {
            let read = reader.read_resolved_event();
            let (namespace, event) = match read {
                Ok((namespace, event)) => (known(&namespace), event),
                Err(error) => {
                    broken = Some(malformed(format!(
                        "breaks off at byte {}: {error:.200}",
                        reader.error_position()
                    )));
                    break;
                }
            };
            match event {
                Event::Start(start) => self.start(&start, namespace)?,
                Event::End(end) => self.end(end.name().into_inner()),
                Event::Text(text) => self.text(&text),
                Event::CData(data) => self.text(&data),
                Event::GeneralRef(name) => self.text(&referred(&name)),
                Event::Eof => {
                    if let Some(open) = self.frames.last() {
                        let detail = format!("ends inside of <{:.80}>", open.name);
                        broken = Some(malformed(detail));
                    }
                    break;
                }
                Event::Empty(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::DocType(_) => {}
            }
        }
        if self.home.is_none() {
            return Err(broken.unwrap_or_else(|| malformed("holds no element")));
        }
        let atom = self.feed.feed(&self.out);
        Ok(Translated { atom, broken })
    }

    fn start(
        &mut self,
        start: &BytesStart<'_>,
        namespace: Option<String>,
    ) -> Result<(), Rejection> {
        if self.frames.len() >= DEPTH {
            return Err(malformed(format!("elements are nested more than {DEPTH} deep")));
        }
        let local = start.local_name().into_inner().to_ascii_lowercase();
        let attributes = Attributes::read(start);
        let role = match self.frames.last() {
            None if self.home.is_none() => {
                let root = self.root(&local, namespace.clone())?;
                self.frame(start, root, &attributes);
                if root == Role::Entry {
                    self.begin(&attributes);
                }
                return Ok(());
            }
            None => Role::Passed,
            Some(above) => {
                let vocabulary = self.vocabulary(start, namespace);
                role(above.role, vocabulary, &local)
            }
        };
        self.frame(start, role, &attributes);
        match role {
            Role::Entry => self.begin(&attributes),
            Role::Field(..) => self.taken = Some((Construct::default(), attributes)),
            Role::Inside => {
                if let Some((construct, _)) = &mut self.taken {
                    construct.open(&tag(&local));
                }
            }
            Role::Feed | Role::Group | Role::Passed => {}
        }
        Ok(())
    }

    /// Tells a feed by its root element.
    fn root(&mut self, local: &str, namespace: Option<String>) -> Result<Role, Rejection> {
        let role = match local {
            "rss" | "rdf" | "channel" | "feed" => Role::Feed,
            "entry" => Role::Entry,
            other => return Err(malformed(format!("is no feed: its root is <{other:.80}>"))),
        };
        self.atom = matches!(local, "feed" | "entry");
        self.home = Some(namespace.unwrap_or_default());
        Ok(role)
    }

    fn vocabulary(&self, start: &BytesStart<'_>, namespace: Option<String>) -> Vocabulary {
        match (namespace, start.name().prefix()) {
            (Some(name), _) => match Vocabulary::of_namespace(&name) {
                Vocabulary::Other if self.home.as_ref() == Some(&name) => Vocabulary::Feed,
                vocabulary => vocabulary,
            },
            (None, Some(prefix)) => Vocabulary::of_prefix(prefix.into_inner()),
            (None, None) => Vocabulary::Feed,
        }
    }

    fn frame(&mut self, start: &BytesStart<'_>, role: Role, attributes: &Attributes) {
        let above = self.frames.last();
        let mut base = above.map_or_else(|| self.base.clone(), |above| above.base.clone());
        if let Some(own) = attributes.get("base") {
            let joined = base.as_ref().map_or_else(|| Url::parse(own), |base| base.join(own));
            base = joined.ok().map(Rc::new).or(base);
        }
        let mut language = above.and_then(|above| above.language.clone());
        if let Some(own) = attributes.get("lang") {
            language = Some(own).filter(|own| !own.is_empty()).map(Rc::from);
        }
        let name = start.name().into_inner().to_owned();
        self.frames.push(Frame { name, role, base, language });
    }

    /// An entry begins. RDF and CDF say something of it in attributes.
    fn begin(&mut self, attributes: &Attributes) {
        let mut entry = EntryParts::default();
        let base = self.frames.last().and_then(|frame| frame.base.as_deref());
        if let Some(about) = attributes.get("about") {
            entry.set(Field::Id, 1, Value::plain(about));
            entry.link(about, 0, base);
        }
        if let Some(href) = attributes.get("href") {
            entry.link(href, 1, base);
        }
        if let Some(time) = attributes.get("lastmod") {
            entry.set(Field::Updated, 1, Value::plain(time));
        }
        self.entry = Some(entry);
    }

    fn text(&mut self, text: &str) {
        if let Some((construct, _)) = &mut self.taken {
            construct.text(text);
        }
    }

    /// Ends the nearest element of this name, and with it those that were left open inside of it.
    fn end(&mut self, name: &str) {
        let Some(at) = self.frames.iter().rposition(|frame| frame.name == name) else { return };
        while self.frames.len() > at {
            let Some(frame) = self.frames.pop() else { return };
            match frame.role {
                Role::Field(field, rank) => self.take_down(field, rank, &frame),
                Role::Entry => {
                    if let Some(entry) = self.entry.take() {
                        entry.write(&mut self.out);
                        self.entries += 1;
                    }
                }
                Role::Inside => {
                    if let Some((construct, _)) = &mut self.taken {
                        let local = frame.name.rsplit(':').next().unwrap_or_default();
                        construct.close(&tag(&local.to_ascii_lowercase()));
                    }
                }
                Role::Feed | Role::Group | Role::Passed => {}
            }
        }
    }

    fn take_down(&mut self, field: Field, rank: u8, frame: &Frame) {
        let Some((construct, attributes)) = self.taken.take() else { return };
        let parts = self.entry.as_mut().unwrap_or(&mut self.feed);
        let base = frame.base.as_deref();
        let text = || Value { text: construct.plain(), language: None };
        match field {
            Field::Title | Field::Summary | Field::Content => {
                let plain = self.atom && rank >= 3;
                let text = construct.html(&attributes, plain);
                parts.set(field, rank, Value { text, language: frame.language.clone() });
            }
            Field::Link => {
                if attributes.get("rel").is_none_or(|rel| rel.eq_ignore_ascii_case("alternate")) {
                    let href = attributes.get("href").map_or_else(|| text().text, str::to_owned);
                    parts.link(&href, 3, base);
                }
            }
            Field::Guid => {
                let id = text();
                let permanent = attributes.get("ispermalink").is_none_or(|said| said != "false");
                if permanent && (id.text.starts_with("http:") || id.text.starts_with("https:")) {
                    parts.link(&id.text, 2, base);
                }
                parts.set(field, rank, id);
            }
            Field::Author => {
                parts.set(field, rank, Value { text: construct.name(), language: None });
            }
            Field::Category => {
                let named = attributes.get("label").or(attributes.get("term"));
                parts.category(named.map_or_else(|| text().text, str::to_owned));
            }
            Field::Id | Field::Published | Field::Updated | Field::Language => {
                parts.set(field, rank, text());
            }
        }
    }
}

/// What an element is below another.
fn role(above: Role, vocabulary: Vocabulary, local: &str) -> Role {
    let field = field(vocabulary, local).map(|(field, rank)| Role::Field(field, rank));
    let media = matches!(vocabulary, Vocabulary::Media);
    match above {
        Role::Feed => match (vocabulary, local) {
            (Vocabulary::Feed, "item" | "entry") => Role::Entry,
            (Vocabulary::Feed, "channel") => Role::Feed,
            // Of the feed itself only what holds for its entries is of interest.
            _ => match field {
                Some(Role::Field(Field::Author | Field::Language, _)) => field.unwrap_or(above),
                _ => Role::Passed,
            },
        },
        Role::Entry | Role::Group if media && matches!(local, "group" | "content") => Role::Group,
        Role::Entry => field.unwrap_or(Role::Passed),
        Role::Group if media => field.unwrap_or(Role::Passed),
        Role::Field(..) | Role::Inside => Role::Inside,
        Role::Group | Role::Passed => Role::Passed,
    }
}

fn known(namespace: &ResolveResult<'_>) -> Option<String> {
    match namespace {
        ResolveResult::Bound(name) => Some(name.0.trim().to_owned()),
        ResolveResult::Unbound | ResolveResult::Unknown(_) => None,
    }
}

/// The name of a tag that may stand in HTML.
fn tag(local: &str) -> String {
    let plain = !local.is_empty() && local.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain { local.to_owned() } else { "span".to_owned() }
}
