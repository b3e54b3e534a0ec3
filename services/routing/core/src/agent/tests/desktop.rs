//! The desktop beside the phone: chosen status and connection are two facts, and routing goes by both.

use super::*;

#[test]
fn closed_browser() {
    let mut desk = Desk::blended(|_| {});
    let staffed = |desk: &Desk| [A, CHAT].map(|queue| desk.standing(queue) == Standing::Ready);
    assert!(desk.wait(44_999).iter().all(|out| out.events.is_empty()));
    assert_eq!(staffed(&desk), [true, true]);
    let outs = desk.wait(1);
    let out = outs.last().unwrap();
    assert_eq!(presences(out), [(A, false), (CHAT, false)]);
    for (_, news) in told(out) {
        assert_eq!(
            news.standing,
            Standing::Unreachable,
            "not counted as staffed"
        );
    }
    let view = views(out)[0];
    assert_eq!(
        (view.desktop, &view.chosen),
        (Desktop::Gone, &Chosen::Ready)
    );
    assert_eq!((view.state, view.since), (State::Ready, at(45_000)));
    assert_eq!(granted(&desk.say(desk.bid(A, 9, 0))), None);
    assert_eq!(desk.agent.next_due(), None, "and nothing more happens");
    // A new owner of the record does not bring anybody back; the person does.
    assert_eq!(presences(&desk.take_over()), [(A, false), (CHAT, false)]);
    let out = desk.say(AgentMessage::DesktopSeen);
    assert_eq!(presences(&out), [(A, true), (CHAT, true)]);
    assert_eq!(staffed(&desk), [true, true]);
    // Closed on purpose, nobody waits for the lease.
    let out = desk.say(AgentMessage::DesktopClosed);
    assert_eq!(presences(&out), [(A, false), (CHAT, false)]);
    assert!(changes_nothing(&desk.say(AgentMessage::DesktopClosed)));
}

#[test]
fn background_tab() {
    let mut desk = Desk::blended(|_| {});
    let ver = desk.agent.record().ver;
    for _ in 0..90 {
        desk.wait(20_000); // throttled, but not silent
        assert!(changes_nothing(&desk.say(AgentMessage::DesktopSeen)));
    }
    assert_eq!((desk.now, desk.agent.record().ver), (at(1_800_000), ver));
    assert_eq!(desk.ring(A, ANNA, &Arc::default()), 1, "it still rings");
}

#[test]
fn a_takeover_waits_for_a_sign_of_life_anew() {
    let mut desk = Desk::blended(|_| {});
    desk.wait(44_000);
    desk.take_over();
    desk.wait(44_999);
    assert_eq!(desk.agent.view().desktop, Desktop::Open);
    desk.wait(1);
    assert_eq!(desk.agent.view().desktop, Desktop::Gone);
}

#[test]
fn a_conversation_needs_a_desktop_and_no_phone() {
    let rules = chat_terms(|_| {});
    let mut desk = Desk::blended(|log_in| log_in.device_online = false);
    assert_eq!(
        (desk.presence(A).free, desk.presence(CHAT).free),
        (false, true)
    );
    assert_eq!(
        (desk.standing(A), desk.standing(CHAT)),
        (Standing::Unreachable, Standing::Ready)
    );
    desk.talk(CHAT, ANNA, &rules);
    // With the phone alone, conversations have nobody, and their queue does not count that agent.
    let mut desk = Desk::blended(|log_in| log_in.desktop = false);
    assert_eq!(
        (desk.presence(A).free, desk.presence(CHAT).free),
        (true, false)
    );
    assert_eq!(
        (desk.standing(A), desk.standing(CHAT)),
        (Standing::Ready, Standing::Unreachable)
    );
    assert_eq!(desk.grant(CHAT, &rules), None);
    // A desktop that is opened later makes up for it.
    let out = desk.say(AgentMessage::DesktopSeen);
    assert_eq!(presences(&out), [(A, true), (CHAT, true)]);
}

#[test]
fn whoever_works_with_the_phone_alone_needs_no_signs_of_life() {
    let mut desk = Desk::ready(&[A]);
    desk.wait(7_200_000);
    assert!(desk.presence(A).free);
}

#[test]
fn a_talk_survives_the_browser_but_whoever_went_home_from_wrap_up_is_not_staffed() {
    let until_done = terms(|t| t.wrap_up.mode = WrapUpMode::UntilDone);
    let mut desk = Desk::blended(|_| {});
    desk.talk(A, ANNA, &until_done);
    desk.say(AgentMessage::DesktopClosed);
    assert_eq!(
        (desk.state(), desk.standing(A)),
        (State::Connected, Standing::InContact)
    );
    let out = desk.end(1, OfferEnd::Answered);
    assert_eq!(desk.state(), State::WrapUp);
    assert!(
        told(&out)
            .iter()
            .all(|(_, p)| p.standing == Standing::Unreachable)
    );
    desk.say(AgentMessage::DesktopSeen);
    assert_eq!(desk.standing(A), Standing::WrapUp);
}

#[test]
fn a_desktop_is_awaited_until_the_log_out_takes_effect_and_no_longer() {
    let mut desk = Desk::blended(|_| {});
    desk.talk(A, ANNA, &Arc::default());
    desk.say(LOG_OUT);
    desk.wait(40_000);
    desk.say(AgentMessage::DesktopSeen);
    desk.wait(40_000);
    assert_eq!(
        desk.agent.view().desktop,
        Desktop::Open,
        "it showed signs of life"
    );
    desk.end(1, OfferEnd::Answered);
    desk.wait(10_000);
    assert_eq!(desk.agent.view().desktop, Desktop::None);
    assert!(changes_nothing(&desk.say(AgentMessage::DesktopSeen)));
    assert_eq!(desk.agent.next_due(), None);
}
