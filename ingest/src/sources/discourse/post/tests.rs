use proptest::prelude::*;

use super::*;

const REPLY: &str = r#"{"id":71,"username":"ada","created_at":"2026-06-01T12:00:00.000Z",
    "updated_at":"2026-06-01T13:00:00.000Z","version":2,"post_number":4,"post_type":1,
    "cooked":"<aside class=\"quote\"><blockquote>Nichts geht</blockquote></aside><p>Bei mir geht es</p>",
    "reply_count":2,"reply_to_post_number":3,"reads":40,"topic_id":9,"topic_slug":"app",
    "topic_title":"Die App","category_id":5,"staff":true,"accepted_answer":true,
    "actions_summary":[{"id":2,"count":3},{"id":3}],"hidden":false,"user_deleted":false}"#;

fn forum() -> Forum {
    Forum::at("https://forum.example").with_categories(HashMap::from([(5, "hilfe".to_owned())]))
}

fn read(json: &str) -> Said {
    forum().read(json.as_bytes()).unwrap()
}

#[test]
fn a_reply_has_parent_thread_category_roles_and_engagement_and_no_words_of_others() {
    let Said::Mention(said) = read(REPLY) else { panic!("no mention") };
    assert_eq!(said.id, "9/4");
    assert_eq!(said.text.as_deref(), Some("Bei mir geht es"));
    assert_eq!(said.title, None, "the topic's title is its first post's");
    assert_eq!((said.parent.as_deref(), said.thread.as_deref()), (Some("9/3"), Some("9/1")));
    assert_eq!(said.tags, ["hilfe", "staff", "accepted-answer"]);
    assert_eq!(said.url.as_deref(), Some("https://forum.example/t/9/4"));
    assert_eq!(said.edited_at.unwrap().to_string(), "2026-06-01T13:00:00.000Z");
    let engagement = said.engagement.unwrap();
    assert_eq!(
        (engagement.likes, engagement.replies, engagement.reach),
        (Some(3), Some(2), Some(40))
    );
}

#[test]
fn an_opening_post_has_the_title_and_neither_parent_nor_thread() {
    let opening = REPLY
        .replace("\"post_number\":4", "\"post_number\":1")
        .replace("\"reply_to_post_number\":3", "\"reply_to_post_number\":null")
        .replace("\"version\":2", "\"version\":1");
    let Said::Mention(said) = read(&opening) else { panic!("no mention") };
    assert_eq!(said.title.as_deref(), Some("Die App"));
    assert_eq!((said.parent, said.thread, said.edited_at), (None, None, None));
}

#[test]
fn a_reply_to_nobody_answers_the_opening_post() {
    let Said::Mention(said) = read(&REPLY.replace("\"reply_to_post_number\":3,", "")) else {
        panic!("no mention")
    };
    assert_eq!(said.parent.as_deref(), Some("9/1"));
}

#[test]
fn messages_whispers_notes_and_hidden_posts_are_no_mentions_and_deleted_ones_are_gone() {
    for (from, to, expected) in [
        ("\"post_type\":1", "\"post_type\":4", Said::Nothing),
        ("\"post_type\":1", "\"post_type\":3", Said::Nothing),
        ("\"reads\":40", "\"topic_archetype\":\"private_message\"", Said::Nothing),
        ("\"hidden\":false", "\"hidden\":true", Said::Nothing),
        ("\"user_deleted\":false", "\"user_deleted\":true", Said::Gone),
        ("\"reads\":40", "\"deleted_at\":\"2026-06-02T00:00:00Z\"", Said::Gone),
        ("<p>Bei mir geht es</p>", "", Said::Gone),
    ] {
        assert_eq!(read(&REPLY.replace(from, to)), expected, "{to}");
    }
}

#[test]
fn a_sample_is_a_list_or_the_body_of_a_call() {
    let source = SourceName::new("forum").unwrap();
    let judge = |text: String| sample(&source, &forum(), &Bytes::from(text));
    assert_eq!(judge(format!("{{\"post\":{REPLY}}}")).unwrap().observations.len(), 1);
    let two = judge(format!("{{\"latest_posts\":[{REPLY},{{\"id\":7}}]}}")).unwrap();
    assert_eq!((two.observations.len(), two.rejected.len()), (1, 1));
    assert!(two.rejected[0].rejection.detail.contains("topic_id"), "{:?}", two.rejected);
    assert!(judge("{}".to_owned()).unwrap_err().detail.contains("latest_posts"));
}

proptest! {
    #[test]
    fn a_post_cut_or_changed_anywhere_makes_nothing_panic(
        cut in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let mut bytes = REPLY.as_bytes().to_vec();
        let at = cut.index(bytes.len());
        bytes[at] = byte;
        let _ = (forum().read(&bytes), standing(&bytes));
        bytes.truncate(at);
        let _ = (forum().read(&bytes), standing(&bytes));
    }
}
