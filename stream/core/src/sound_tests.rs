//! Tests of datagrams of sound.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;

fn packet() -> impl Strategy<Value = SoundPacket> {
    let opus = prop::collection::vec(any::<u8>(), 1..=MAX_OPUS);
    let previous = prop::collection::vec(any::<u8>(), 0..=MAX_OPUS);
    (any::<u32>(), any::<u64>(), prop::sample::select(&LENGTHS[..]), opus, previous).prop_map(
        |(sequence, stamp, samples, opus, previous)| SoundPacket {
            sequence,
            captured: MonoTime::from_nanos(stamp),
            samples,
            opus: opus.into(),
            previous: previous.into(),
        },
    )
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(packet in packet()) {
        let datagram = encode(&packet, usize::MAX).unwrap();
        prop_assert_eq!(decode(&datagram), Ok(Some(packet.clone())));
        // Fields of a newer version.
        let longer = Bytes::from([&datagram[..], &[1, 2, 3]].concat());
        prop_assert_eq!(decode(&longer), Ok(Some(packet)));
    }

    #[test]
    fn a_datagram_fits_into_its_room(packet in packet(), room in 0usize..3000) {
        match encode(&packet, room) {
            Ok(datagram) => {
                prop_assert!(datagram.len() <= room);
                let sent = decode(&datagram).unwrap().unwrap();
                prop_assert_eq!(&sent.opus, &packet.opus);
                let both = 20 + packet.opus.len() + packet.previous.len();
                prop_assert_eq!(sent.previous == packet.previous, both <= room);
            }
            Err(_) => prop_assert!(20 + packet.opus.len() > room),
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..100), ours in any::<bool>()) {
        let mut bytes = bytes;
        if ours && bytes.len() > 1 {
            bytes[..2].copy_from_slice(&[0, 0x30]);
        }
        if let Ok(Some(packet)) = decode(&bytes.into()) {
            prop_assert!((1..=1275).contains(&packet.opus.len()) && packet.previous.len() <= 1275);
        }
    }
}

#[test]
fn what_the_protocol_forbids_is_refused() {
    let good = SoundPacket {
        sequence: 1,
        captured: MonoTime::from_nanos(1),
        samples: 240,
        opus: Bytes::from_static(&[1]),
        previous: Bytes::new(),
    };
    encode(&good, 21).unwrap();
    encode(&SoundPacket { samples: 241, ..good.clone() }, 1200).unwrap_err();
    encode(&SoundPacket { opus: Bytes::new(), ..good.clone() }, 1200).unwrap_err();
    let long = Bytes::from(vec![0; MAX_OPUS + 1]);
    encode(&SoundPacket { opus: long.clone(), ..good.clone() }, 3000).unwrap_err();
    let sent = encode(&SoundPacket { previous: long, ..good }, 3000).unwrap();
    assert!(decode(&sent).unwrap().unwrap().previous.is_empty());
    assert_eq!(decode(&Bytes::from_static(&[0, 0x31])), Ok(None), "another type is skipped");
    decode(&Bytes::from_static(&[0])).unwrap_err();
}
