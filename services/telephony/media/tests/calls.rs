//! Legs and bridges with real sockets: what the people on the phones would hear.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

mod phone;

use centro_media::{
    Bridge, Codec, Direction, Leg, LegEvent, LegEvents, Repeat, clips, rtp::Header,
};
use phone::{Phone, until};
use std::time::Duration;

const CALLER: f64 = 440.0;
const AGENT: f64 = 1_000.0;

struct Call {
    media: centro_media::Media,
    caller: Phone,
    caller_leg: Leg,
    caller_events: LegEvents,
    agent: Phone,
    agent_leg: Leg,
    agent_events: LegEvents,
}

async fn call(caller: (Codec, usize), agent: (Codec, usize)) -> Call {
    let media = phone::media();
    let mut caller = Phone::new(caller.0, caller.1).await;
    let mut agent = Phone::new(agent.0, agent.1).await;
    let (caller_leg, caller_events) = media.open_leg(None).unwrap();
    let (agent_leg, agent_events) = media.open_leg_beside(&caller_leg, None).unwrap();
    caller_leg
        .answer(caller.sdp("sendrecv").as_bytes())
        .unwrap();
    agent_leg.offer(Direction::SendRecv, None);
    agent_leg.accept(agent.sdp("sendrecv").as_bytes()).unwrap();
    caller.talk(caller_leg.local(), CALLER);
    agent.talk(agent_leg.local(), AGENT);
    Call {
        media,
        caller,
        caller_leg,
        caller_events,
        agent,
        agent_leg,
        agent_events,
    }
}

#[tokio::test]
async fn both_hear_each_other_across_codecs_and_packet_lengths() {
    let kinds = [(Codec::Pcma, 20), (Codec::Pcmu, 30)];
    for (left, right) in [
        (kinds[0], kinds[0]),
        (kinds[0], kinds[1]),
        (kinds[1], kinds[0]),
    ] {
        let call = call(left, right).await;
        let _bridge = Bridge::join(&call.caller_leg, &call.agent_leg, None);
        call.caller.hears(AGENT, 30).await;
        call.agent.hears(CALLER, 30).await;
        for phone in [&call.caller, &call.agent] {
            let heard = phone.heard.lock();
            let steps = heard.windows(2).map(|pair| {
                assert_eq!(pair[0].header.ssrc, pair[1].header.ssrc);
                assert_eq!(pair[1].payload.len(), phone.ptime * 8);
                (
                    pair[1]
                        .header
                        .sequence
                        .wrapping_sub(pair[0].header.sequence),
                    pair[1]
                        .header
                        .timestamp
                        .wrapping_sub(pair[0].header.timestamp),
                )
            });
            let expected = (1, phone.ptime as u32 * 8);
            assert!(
                steps.clone().all(|step| step == expected),
                "{:?}",
                steps.collect::<Vec<_>>()
            );
        }
        let stats = call.caller_leg.stats();
        assert!(
            stats.received >= 20 && stats.sent >= 20 && stats.lost == 0,
            "{stats:?}"
        );
        assert!(call.media.stats().relay.count > 0);
    }
}

#[tokio::test]
async fn a_phone_whose_port_changes_is_followed_within_a_second() {
    let mut call = call((Codec::Pcma, 20), (Codec::Pcma, 20)).await;
    let _bridge = Bridge::join(&call.caller_leg, &call.agent_leg, None);
    call.caller.hears(AGENT, 5).await;
    call.caller.hears(AGENT, 5).await;
    let before = call.caller.heard.lock().last().unwrap().header.sequence;
    call.caller.rebind(call.caller_leg.local(), CALLER).await;
    until("heard at the new port", || {
        !call.caller.heard.lock().is_empty()
    })
    .await;
    let first = call.caller.heard.lock()[0].header.sequence;
    let missed = first.wrapping_sub(before);
    assert!(missed <= 50, "{missed} packets of 20 ms were lost");
    call.agent.heard.lock().clear();
    call.agent.hears(CALLER, 10).await;
}

#[tokio::test]
async fn a_stranger_is_neither_heard_nor_sent_to() {
    let call = call((Codec::Pcma, 20), (Codec::Pcma, 20)).await;
    let _bridge = Bridge::join(&call.caller_leg, &call.agent_leg, None);
    call.agent.hears(CALLER, 5).await;
    let mut stranger = Phone::new(Codec::Pcma, 10).await;
    stranger.talk(call.caller_leg.local(), 2_000.0);
    until("the stranger was refused", || {
        call.caller_leg.stats().rejected > 60
    })
    .await;
    call.agent.hears(CALLER, 20).await;
    assert!(stranger.heard.lock().is_empty());
}

#[tokio::test]
async fn a_digit_is_told_once_and_passed_on_under_the_other_number() {
    let mut call = call((Codec::Pcma, 20), (Codec::Pcmu, 20)).await;
    let _bridge = Bridge::join(&call.caller_leg, &call.agent_leg, None);
    call.agent.hears(CALLER, 5).await;
    call.caller
        .muted
        .store(true, std::sync::atomic::Ordering::Relaxed);
    call.caller.press(call.caller_leg.local(), 5).await;
    call.caller.press(call.caller_leg.local(), 11).await;
    assert_eq!(call.caller_events.recv().await, Some(LegEvent::Digit('5')));
    assert_eq!(call.caller_events.recv().await, Some(LegEvent::Digit('#')));
    assert!(call.caller_events.try_recv().is_err());
    let events = || {
        let heard = call.agent.heard.lock();
        heard
            .iter()
            .filter(|packet| packet.header.payload == 96)
            .cloned()
            .collect::<Vec<_>>()
    };
    until("all packets of the digits were passed on", || {
        events().len() >= 16
    })
    .await;
    assert_eq!(events()[0].payload[0], 5);
    assert_eq!(events()[0].header.timestamp, events()[7].header.timestamp);
    // The other way: a digit of our own making.
    call.agent_leg.send_digit('7');
    until("our digit", || {
        events()
            .iter()
            .any(|packet| packet.payload[..2] == [7, 0x8a])
    })
    .await;
    assert!(call.agent_events.try_recv().is_err());
}

#[tokio::test]
async fn a_caller_on_hold_hears_nothing_and_the_call_goes_on_afterwards() {
    let call = call((Codec::Pcma, 20), (Codec::Pcma, 20)).await;
    let _bridge = Bridge::join(&call.caller_leg, &call.agent_leg, None);
    call.caller.hears(AGENT, 5).await;
    let answer = call
        .caller_leg
        .answer(call.caller.sdp("inactive").as_bytes())
        .unwrap();
    assert!(answer.contains("a=inactive") && call.caller_leg.held_by_peer());
    let silent = call.caller.heard.lock().len();
    let before = call.agent_leg.stats().received;
    until("packets came meanwhile", || {
        call.agent_leg.stats().received > before + 10
    })
    .await;
    assert!(
        call.caller.heard.lock().len() <= silent + 1,
        "sent to a phone on hold"
    );
    call.caller_leg
        .answer(call.caller.sdp("sendrecv").as_bytes())
        .unwrap();
    call.caller.hears(AGENT, 20).await;
    let heard = call.caller.heard.lock();
    let gaps = heard.windows(2).filter(|pair| {
        pair[1]
            .header
            .sequence
            .wrapping_sub(pair[0].header.sequence)
            != 1
    });
    assert_eq!(gaps.count(), 0, "a hold is not a loss");
    assert_eq!(
        heard.iter().filter(|packet| packet.header.marker).count(),
        2
    );
}

#[tokio::test]
async fn clips_are_heard_before_the_bridge_and_their_end_is_told() {
    let media = phone::media();
    let mut caller = Phone::new(Codec::Pcma, 20).await;
    let (leg, mut events) = media.open_leg(None).unwrap();
    leg.play(clips::music().into(), Repeat::Forever);
    leg.answer(caller.sdp("sendrecv").as_bytes()).unwrap();
    until("music", || caller.heard.lock().len() > 10).await;
    let done = clips::get(clips::Language::Italian, "done").unwrap();
    let id = leg.announce(done.into());
    assert_eq!(events.recv().await, Some(LegEvent::PlaybackEnded(id)));
    let heard = caller.heard.lock().len();
    until("music again", || caller.heard.lock().len() > heard + 5).await;
    caller.talk(leg.local(), CALLER);
    until("the caller is heard", || leg.stats().received > 0).await;
    assert!(leg.silent_for() < Duration::from_secs(1));
    leg.stop();
    let packets = caller.heard.lock();
    assert!(packets.windows(2).all(|pair| {
        let step = |a: &Header, b: &Header| {
            (
                b.sequence.wrapping_sub(a.sequence),
                b.timestamp.wrapping_sub(a.timestamp),
            )
        };
        step(&pair[0].header, &pair[1].header) == (1, 160)
    }));
}

#[tokio::test]
async fn a_closed_leg_gives_back_what_it_took() {
    let call = call((Codec::Pcma, 20), (Codec::Pcma, 20)).await;
    let Call {
        media,
        caller_leg,
        agent_leg,
        mut caller_events,
        ..
    } = call;
    let bridge = Bridge::join(&caller_leg, &agent_leg, None);
    assert_eq!(media.stats().legs, 2);
    drop((bridge, caller_leg, agent_leg));
    while caller_events.recv().await.is_some() {}
    until("the legs are gone", || media.stats().legs == 0).await;
}

#[tokio::test]
async fn a_bad_offer_changes_nothing() {
    let call = call((Codec::Pcma, 20), (Codec::Pcma, 20)).await;
    let before = call.caller_leg.negotiated();
    for bad in [
        "",
        "v=0",
        &call.caller.sdp("sendrecv").replace("AVP 8 96", "AVP 3"),
    ] {
        assert!(call.caller_leg.answer(bad.as_bytes()).is_err());
    }
    assert_eq!(call.caller_leg.negotiated(), before);
}
