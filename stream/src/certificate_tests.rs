//! Certificates that are made, and files that are not what they should be.

#![allow(clippy::unwrap_used)]

use std::fs;

use super::*;

#[test]
fn made_ones_differ_and_follow_each_other() {
    let certificates = Certificates::made(Vec::new(), LONGEST_VALIDITY * 2).unwrap();
    let first = certificates.newest();
    let valid = first.expires.duration_since(first.not_before).unwrap();
    assert!(valid <= Duration::from_secs(14 * 24 * 3600), "browsers accept no longer one");
    assert_eq!(validity(&first.key.cert[0]).map(|(_, to)| whole(to)), Some(whole(first.expires)));
    assert!(first.pinned && certificates.renewal() < first.expires - valid / 3);
    certificates.renew().unwrap();
    assert_ne!(certificates.newest().hash, first.hash);
    assert!(Arc::ptr_eq(&certificates.first, &first.key), "links name the first for ever");
}

/// Certificates have whole seconds.
fn whole(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// A certificate and its key in PEM, valid between two years.
fn pem(from: i32, to: i32) -> (String, String) {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    let text = |label: &str, der: &[u8]| {
        let body = base64(der);
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    let der = params.self_signed(&pair).unwrap().der().clone();
    (text("CERTIFICATE", &der), text("PRIVATE KEY", &pair.serialize_der()))
}

/// RFC 4648 section 4, in one line.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let at = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        let digit = |i: usize| {
            let value = (word >> (18 - 6 * i) & 63) as usize;
            if i <= chunk.len() { char::from(DIGITS[value]) } else { '=' }
        };
        [digit(0), digit(1), digit(2), digit(3)]
    };
    bytes.chunks(3).flat_map(group).collect()
}

#[test]
fn files_say_what_is_wrong_with_them() {
    let place = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = place.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (good, key) = pem(2020, 2200);
    let (expired, expired_key) = pem(2019, 2020);
    let (early, early_key) = pem(2190, 2200);
    let good = file("good.pem", &good);
    let key = file("key.pem", &key);
    let load = |certificate: &PathBuf, key: &PathBuf| {
        let files = CertificateFiles { certificate: certificate.clone(), key: key.clone() };
        Certificates::from_files(files).map(|c| c.newest().pinned)
    };
    assert!(!load(&good, &key).unwrap(), "browsers check it as that of any site");
    let says = |certificate: &PathBuf, key: &PathBuf, what: &str| {
        let error = load(certificate, key).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    };
    says(&key, &key, "holds no certificate in PEM");
    says(&file("empty", ""), &key, "holds no certificate in PEM");
    says(
        &file("cut", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        &key,
        "holds no certificate in PEM",
    );
    says(&good, &good, "holds no private key in PEM");
    says(&good, &file("other", &expired_key), "is not that of the first certificate");
    says(&file("old", &expired), &file("old.key", &expired_key), "days ago: renew it");
    says(&file("new", &early), &file("new.key", &early_key), "not valid yet");
    says(&place.path().join("missing"), &key, "cannot read");
}
