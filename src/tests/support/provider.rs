//! A small OpenID provider on a port of its own: discovery, an authorize endpoint that lets its one user in at once, tokens with PKCE,
//! a key set that can rotate, user info. It signs with ring, so that it shares no code with what verifies. And it can lie, one way at a time.
#![allow(clippy::disallowed_methods, reason = "somebody else signs here, with randomness of their own")]

use axum::{
    Form, Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tollgate::platform::{
    clock::Clock,
    config::Provider,
    crypto::{Rng, sha256},
};

const CLIENT: &str = "tollgate-at-other";
const SECRET: &str = "a secret that both sides know";

/// Who comes to the provider.
#[derive(Debug, Clone)]
pub struct User {
    pub sub: String,
    pub email: Option<String>,
    pub is_verified: bool,
    pub name: String,
}

/// What is wrong with the next tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lie {
    #[default]
    None,
    Nonce,
    NoNonce,
    /// For another client.
    Audience,
    /// For us and another client.
    Audiences,
    /// `azp` is another client.
    Party,
    Expired,
    /// Issued in an hour.
    Future,
    Issuer,
    /// `alg: none`
    Unsigned,
    /// HS256 under the client secret.
    ClientSecret,
    /// HS256 under the published key.
    PublicKey,
    /// A signature of something else.
    Signature,
    /// Signed by a key that is not published, under the name of one that is.
    StrangeKey,
}

/// How it behaves, apart from its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mood {
    #[default]
    Fine,
    /// Thinks for half a minute about everything.
    Slow,
    /// Sends who asks elsewhere, where the right answer is.
    Redirecting,
    /// Answers with a megabyte.
    Endless,
    /// Sends browsers to something that is not of the web.
    Insecure,
}

pub struct TestProvider {
    pub issuer: String,
    inner: Arc<Mutex<Inner>>,
    serving: JoinHandle<()>,
}

struct Key {
    kid: String,
    pair: EcdsaKeyPair,
}

struct Inner {
    issuer: String,
    clock: Clock,
    user: User,
    lie: Lie,
    mood: Mood,
    /// An error in the place of a code.
    refusal: Option<&'static str>,
    /// What the answer names as its issuer; none if nothing.
    names: Option<String>,
    /// Says in its metadata that it always names itself.
    always_names_itself: bool,
    /// The address is told by the user info endpoint only.
    tells_email_later: bool,
    /// Says when it asked the user, if it is asked to.
    auth_time_ago: i64,
    keys: Vec<Key>,
    codes: HashMap<String, HashMap<String, String>>,
    /// How often its metadata was read, and how often tokens were asked for.
    discovered: usize,
    exchanged: usize,
}

impl Drop for TestProvider {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl TestProvider {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let user = User { sub: "user-1".to_owned(), email: Some("vera@example.com".to_owned()), is_verified: true, name: "Vera Other".to_owned() };
        let inner = Arc::new(Mutex::new(Inner {
            issuer: issuer.clone(),
            clock: Clock::frozen(super::T0),
            user,
            lie: Lie::None,
            mood: Mood::Fine,
            refusal: None,
            names: Some(issuer.clone()),
            always_names_itself: true,
            tells_email_later: false,
            auth_time_ago: 0,
            keys: vec![key("first")],
            codes: HashMap::new(),
            discovered: 0,
            exchanged: 0,
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/elsewhere", get(metadata))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/keys", get(keys))
            .route("/me", get(user_info))
            .with_state(Arc::clone(&inner));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { issuer, inner, serving }
    }

    /// As an operator sets it up who trusts nothing that it says of addresses.
    pub fn settings(&self, slug: &str) -> Provider {
        Provider {
            slug: slug.parse().unwrap(),
            name: "Other".to_owned(),
            issuer: self.issuer.clone(),
            client_id: CLIENT.to_owned(),
            client_secret: Some(SECRET.into()),
            scopes: vec!["email".to_owned(), "profile".to_owned()],
            allow_sign_up: true,
            trusts_email: false,
            replaces_second_factor: false,
            allow_private_network: true,
        }
    }

    /// From now on its clock is this one.
    pub fn follow(&self, clock: &Clock) {
        self.lock().clock = clock.clone();
    }

    pub fn user(&self, change: impl FnOnce(&mut User)) {
        change(&mut self.lock().user);
    }

    pub fn lie(&self, lie: Lie) {
        self.lock().lie = lie;
    }

    pub fn mood(&self, mood: Mood) {
        self.lock().mood = mood;
    }

    pub fn refuse(&self, error: &'static str) {
        self.lock().refusal = Some(error);
    }

    /// What its answers name as their issuer.
    pub fn name_itself(&self, names: Option<&str>, always: bool) {
        let mut inner = self.lock();
        (inner.names, inner.always_names_itself) = (names.map(ToOwned::to_owned), always);
    }

    pub fn tell_email_later(&self) {
        self.lock().tells_email_later = true;
    }

    pub fn remember_user_for(&self, seconds: i64) {
        self.lock().auth_time_ago = seconds;
    }

    /// A new key takes the place of the old one.
    pub fn rotate(&self, kid: &str) {
        self.lock().keys = vec![key(kid)];
    }

    pub fn discovered(&self) -> usize {
        self.lock().discovered
    }

    pub fn exchanged(&self) -> usize {
        self.lock().exchanged
    }

    /// Nobody listens there any more.
    pub fn shut(&self) {
        self.serving.abort();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

type Shared = State<Arc<Mutex<Inner>>>;

async fn discovery(state: Shared) -> Response {
    let mood = {
        let mut inner = state.lock().unwrap();
        inner.discovered += 1;
        inner.mood
    };
    match mood {
        Mood::Slow => tokio::time::sleep(Duration::from_secs(30)).await,
        Mood::Redirecting => return (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response(),
        Mood::Endless => return ([(header::CONTENT_TYPE, "application/json")], " ".repeat(1 << 20)).into_response(),
        Mood::Fine | Mood::Insecure => {}
    }
    metadata(state).await.into_response()
}

async fn metadata(State(inner): Shared) -> Json<Value> {
    let inner = inner.lock().unwrap();
    let at = |path: &str| format!("{}{path}", inner.issuer);
    let authorize = if inner.mood == Mood::Insecure { "ftp://example.com/authorize".to_owned() } else { at("/authorize") };
    Json(json!({
        "issuer": inner.issuer, "authorization_endpoint": authorize, "token_endpoint": at("/token"), "jwks_uri": at("/keys"),
        "userinfo_endpoint": at("/me"), "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"], "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": inner.always_names_itself,
    }))
}

/// Lets the user in without a word; keeps what the code is bound to.
async fn authorize(State(inner): Shared, Query(asked): Query<HashMap<String, String>>) -> Response {
    let mut inner = inner.lock().unwrap();
    assert_eq!((asked["client_id"].as_str(), asked["response_type"].as_str(), asked["code_challenge_method"].as_str()), (CLIENT, "code", "S256"));
    assert!(asked["scope"].split(' ').any(|scope| scope == "openid") && asked["state"].len() >= 43 && asked["nonce"].len() >= 43, "{asked:?}");
    let mut back = url::Url::parse(&asked["redirect_uri"]).unwrap();
    back.query_pairs_mut().append_pair("state", &asked["state"]);
    if let Some(issuer) = &inner.names {
        back.query_pairs_mut().append_pair("iss", issuer);
    }
    if let Some(error) = inner.refusal {
        back.query_pairs_mut().append_pair("error", error);
    } else {
        let code = Rng::system().base62(40);
        inner.codes.insert(code.clone(), asked);
        back.query_pairs_mut().append_pair("code", &code);
    }
    (StatusCode::FOUND, [(header::LOCATION, back.to_string())]).into_response()
}

async fn token(State(inner): Shared, headers: HeaderMap, Form(asked): Form<HashMap<String, String>>) -> Response {
    let mut inner = inner.lock().unwrap();
    inner.exchanged += 1;
    // RFC 6749 §2.3.1: both are form-encoded before.
    let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(CLIENT), encoded(SECRET))));
    if headers.get(header::AUTHORIZATION).is_none_or(|given| given != basic.as_str()) {
        return refused("invalid_client");
    }
    let Some(begun) = inner.codes.remove(&asked["code"]) else { return refused("invalid_grant") };
    let challenge = URL_SAFE_NO_PAD.encode(sha256(&asked["code_verifier"]));
    if asked["grant_type"] != "authorization_code" || begun["code_challenge"] != challenge || begun["redirect_uri"] != asked["redirect_uri"] {
        return refused("invalid_grant");
    }
    let token = inner.id_token(&begun);
    Json(json!({ "access_token": "for-the-user-info", "token_type": "Bearer", "expires_in": 300, "id_token": token })).into_response()
}

fn refused(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response()
}

async fn keys(State(inner): Shared) -> Json<Value> {
    let inner = inner.lock().unwrap();
    let jwk = |key: &Key| {
        let (x, y) = key.pair.public_key().as_ref()[1..].split_at(32);
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": key.kid, "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
    };
    Json(json!({ "keys": inner.keys.iter().map(jwk).collect::<Vec<_>>() }))
}

async fn user_info(State(inner): Shared, headers: HeaderMap) -> Response {
    let inner = inner.lock().unwrap();
    if headers.get(header::AUTHORIZATION).is_none_or(|given| given != "Bearer for-the-user-info") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let User { sub, email, is_verified, name } = &inner.user;
    Json(json!({ "sub": sub, "email": email, "email_verified": is_verified, "name": name })).into_response()
}

impl Inner {
    fn id_token(&self, begun: &HashMap<String, String>) -> String {
        let now = self.clock.now().unix_timestamp();
        let User { sub, email, is_verified, name } = &self.user;
        let mut claims = json!({ "iss": self.issuer, "sub": sub, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": begun["nonce"], "name": name });
        if !self.tells_email_later {
            claims["email"] = json!(email);
            claims["email_verified"] = json!(is_verified);
        }
        if begun.contains_key("max_age") {
            claims["auth_time"] = json!(now - self.auth_time_ago);
        }
        match self.lie {
            Lie::Nonce => claims["nonce"] = json!("of another flow"),
            Lie::NoNonce => {
                claims.as_object_mut().unwrap().remove("nonce");
            }
            Lie::Audience => claims["aud"] = json!("another-client"),
            Lie::Audiences => claims["aud"] = json!([CLIENT, "another-client"]),
            Lie::Party => claims["azp"] = json!("another-client"),
            Lie::Expired => claims["exp"] = json!(now),
            Lie::Future => claims["iat"] = json!(now + 3600),
            Lie::Issuer => claims["iss"] = json!("https://accounts.example.com"),
            _ => {}
        }
        self.signed(&claims)
    }

    fn signed(&self, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let first = &self.keys[0];
        let with = |alg: &str, sign: &dyn Fn(&[u8]) -> Vec<u8>| {
            let message = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": alg, "kid": first.kid })), part(claims));
            let signature = URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
            format!("{message}.{signature}")
        };
        let by = |pair: &EcdsaKeyPair, message: &[u8]| pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec();
        let mac = |secret: &[u8], message: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec();
        match self.lie {
            Lie::Unsigned => with("none", &|_| Vec::new()),
            Lie::ClientSecret => with("HS256", &|message| mac(SECRET.as_bytes(), message)),
            Lie::PublicKey => with("HS256", &|message| mac(first.pair.public_key().as_ref(), message)),
            Lie::Signature => with("ES256", &|_| by(&first.pair, b"something else")),
            Lie::StrangeKey => with("ES256", &|message| by(&key("strange").pair, message)),
            _ => with("ES256", &|message| by(&first.pair, message)),
        }
    }
}

fn key(kid: &str) -> Key {
    let random = SystemRandom::new();
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    Key { kid: kid.to_owned(), pair: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).unwrap() }
}
