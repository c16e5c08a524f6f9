//! An authenticator in software, written anew from WebAuthn Level 3 (§6.1, §6.5, §5.8.1) and RFC 9053, so that it shares no mistake with
//! the product: ES256, no attestation. Everything that it says can be wrong on purpose.
#![allow(clippy::disallowed_methods, reason = "somebody else signs here, with randomness of their own")]

use data_encoding::BASE64URL_NOPAD;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Somebody's authenticator with one passkey.
pub struct SoftKey {
    pair: EcdsaKeyPair,
    pub id: Vec<u8>,
    /// What it calls the account, as it was told.
    pub handle: Option<String>,
    /// The origin that the browser says it is on.
    pub origin: String,
    /// The site that it signs for; none: the one that asks.
    pub site: Option<String>,
    pub aaguid: [u8; 16],
    /// Signatures so far; stays zero where it is not counted.
    pub counter: u32,
    pub counts: bool,
    pub is_verified: bool,
    pub is_synced: bool,
    /// The type in the client data of a proof.
    pub says: &'static str,
}

impl SoftKey {
    pub fn on(origin: &str) -> Self {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random).unwrap();
        let id = Sha256::digest(pair.public_key())[..16].to_vec();
        Self {
            pair,
            id,
            handle: None,
            origin: origin.to_owned(),
            site: None,
            aaguid: [0; 16],
            counter: 0,
            counts: false,
            is_verified: true,
            is_synced: false,
            says: "webauthn.get",
        }
    }

    /// Makes the passkey that a site asks for.
    pub fn make(&mut self, options: &Value) -> String {
        assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        self.handle = options["user"]["id"].as_str().map(ToOwned::to_owned);
        let site = self.site.clone().unwrap_or_else(|| options["rp"]["id"].as_str().unwrap().to_owned());
        let point: &[u8] = self.pair.public_key().as_ref();
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        // COSE_Key {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}.
        let key = [[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32].as_slice(), &point[1..33], &[0x22, 0x58, 32], &point[33..65]].concat();
        let data = [self.data(&site, 0x40), self.aaguid.to_vec(), length.to_vec(), self.id.clone(), key].concat();
        // {"fmt": "none", "attStmt": {}, "authData": bytes}.
        let head = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        let object = [head, vec![u8::try_from(data.len()).unwrap()], data].concat();
        self.answer(json!({
            "attestationObject": BASE64URL_NOPAD.encode(&object),
            "clientDataJSON": BASE64URL_NOPAD.encode(&self.client_data("webauthn.create", options)),
            "transports": ["internal", "a-new-one"],
        }))
    }

    /// Proves that it has the passkey.
    pub fn prove(&mut self, options: &Value) -> String {
        if self.counts {
            self.counter += 1;
        }
        let site = self.site.clone().unwrap_or_else(|| options["rpId"].as_str().unwrap().to_owned());
        let (data, client) = (self.data(&site, 0), self.client_data(self.says, options));
        let signed = [data.as_slice(), Sha256::digest(&client).as_slice()].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).unwrap();
        self.answer(json!({
            "authenticatorData": BASE64URL_NOPAD.encode(&data),
            "clientDataJSON": BASE64URL_NOPAD.encode(&client),
            "signature": BASE64URL_NOPAD.encode(signature.as_ref()),
            "userHandle": self.handle,
        }))
    }

    /// Hash of the site, flags (UP, UV, BE and BS, and those given), counter.
    fn data(&self, site: &str, flags: u8) -> Vec<u8> {
        let verified = if self.is_verified { 0x04 } else { 0 };
        let synced = if self.is_synced { 0x18 } else { 0 };
        [Sha256::digest(site).as_slice(), &[0x01 | verified | synced | flags], &self.counter.to_be_bytes()].concat()
    }

    fn client_data(&self, says: &str, options: &Value) -> Vec<u8> {
        json!({ "type": says, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false }).to_string().into_bytes()
    }

    fn answer(&self, response: Value) -> String {
        let id = BASE64URL_NOPAD.encode(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response, "clientExtensionResults": {} }).to_string()
    }
}
