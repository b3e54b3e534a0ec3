//! Descriptions as phones send them, and as nobody should.

use super::*;
use proptest::prelude::*;

const PHONE: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=call\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
    m=audio 4000 RTP/AVP 9 8 0 126\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\n\
    a=rtpmap:0 PCMU/8000\r\na=rtpmap:126 telephone-event/8000\r\na=fmtp:126 0-16\r\na=ptime:30\r\na=sendrecv\r\n\
    m=video 4002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=sendonly\r\n";

fn local() -> Local {
    Local {
        address: "192.0.2.1:20000".parse().unwrap(),
        session: 7,
        version: 1,
    }
}

#[test]
fn an_offer_is_answered_with_its_own_numbers_and_other_media_refused() {
    let description = parse(PHONE.as_bytes()).unwrap();
    let agreed = description.negotiate(Direction::SendRecv).unwrap();
    assert_eq!(agreed.remote, "192.0.2.7:4000".parse().unwrap());
    assert_eq!((agreed.codec, agreed.payload), (Codec::Pcma, 8));
    assert_eq!(agreed.dtmf_payload, Some(126));
    assert_eq!(agreed.ptime, Duration::from_millis(30));
    assert_eq!(agreed.direction, Direction::SendRecv);
    let answer = answer(&local(), &description.media, &agreed);
    assert!(
        answer.contains("m=audio 20000 RTP/AVP 8 126\r\n"),
        "{answer}"
    );
    assert!(
        answer.contains("a=rtpmap:126 telephone-event/8000"),
        "{answer}"
    );
    assert!(answer.ends_with("m=video 0 RTP/AVP 96\r\n"), "{answer}");
}

#[test]
fn a_dynamic_number_for_g711_is_kept() {
    let sdp = PHONE
        .replace(" 9 8 0 126", " 97 126")
        .replace("rtpmap:9 G722", "rtpmap:97 pcmu");
    let agreed = parse(sdp.as_bytes())
        .unwrap()
        .negotiate(Direction::SendRecv)
        .unwrap();
    assert_eq!((agreed.codec, agreed.payload), (Codec::Pcmu, 97));
}

#[test]
fn both_ways_of_holding_are_understood() {
    let sendonly = PHONE.replace("a=sendrecv", "a=sendonly");
    let old = PHONE.replace("c=IN IP4 192.0.2.7", "c=IN IP4 0.0.0.0");
    for sdp in [sendonly, old] {
        let agreed = parse(sdp.as_bytes())
            .unwrap()
            .negotiate(Direction::SendRecv)
            .unwrap();
        assert_eq!(agreed.direction, Direction::RecvOnly);
        assert!(agreed.hold);
    }
    let inactive = PHONE.replace("a=sendrecv", "a=inactive");
    let agreed = parse(inactive.as_bytes())
        .unwrap()
        .negotiate(Direction::SendRecv)
        .unwrap();
    assert_eq!((agreed.direction, agreed.hold), (Direction::Inactive, true));
}

#[test]
fn a_direction_of_the_session_holds_for_the_stream() {
    let sdp = PHONE
        .replace("a=sendrecv\r\n", "")
        .replace("t=0 0\r\n", "t=0 0\r\na=recvonly\r\n");
    let agreed = parse(sdp.as_bytes())
        .unwrap()
        .negotiate(Direction::SendRecv)
        .unwrap();
    assert_eq!(
        (agreed.direction, agreed.hold),
        (Direction::SendOnly, false)
    );
}

#[test]
fn what_cannot_be_used_is_named() {
    let refused = |from: &str, to: &str| {
        let described = parse(PHONE.replace(from, to).as_bytes());
        described
            .and_then(|description| description.negotiate(Direction::SendRecv))
            .unwrap_err()
    };
    assert_eq!(refused("v=0", "v=1"), SdpError::Malformed);
    assert_eq!(refused("audio 4000", "audio 0"), SdpError::NoAudio);
    assert_eq!(refused("4000 RTP/AVP", "4000 RTP/SAVP"), SdpError::NoAudio);
    assert_eq!(refused(" 9 8 0 126", " 9 126"), SdpError::NoCodec);
    assert_eq!(
        refused("c=IN IP4 192.0.2.7", "c=IN IP4 nowhere"),
        SdpError::Malformed
    );
    assert_eq!(refused("audio 4000", "audio 70000"), SdpError::Malformed);
    assert_eq!(refused("m=video", "m=vi<deo"), SdpError::Malformed);
    assert_eq!(parse(&vec![b'v'; 20_000]), Err(SdpError::TooLarge));
}

#[test]
fn our_offer_is_read_back_by_ourselves() {
    let description = parse(offer(&local(), Direction::SendOnly, Codec::Pcma).as_bytes()).unwrap();
    assert_eq!(description.codecs, [(8, Codec::Pcma), (0, Codec::Pcmu)]);
    assert_eq!(description.dtmf_payload, Some(101));
    assert_eq!(description.direction, Direction::SendOnly);
    assert_eq!(description.address, local().address);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn any_change_of_a_real_offer_is_read_or_refused(
        at in 0..PHONE.len(), cut in 0..40_usize, put in "[ -~\r\n]{0,12}"
    ) {
        let end = (at + cut).min(PHONE.len());
        let sdp = format!("{}{put}{}", &PHONE[..at], &PHONE[end..]);
        if let Ok(description) = parse(sdp.as_bytes())
            && let Ok(agreed) = description.negotiate(Direction::SendRecv) {
            let written = answer(&local(), &description.media, &agreed);
            prop_assert!(parse(written.as_bytes()).is_ok(), "{written}");
        }
    }
}
