//! The one HTTP client: what this program asks of others, one request on one connection.
//!
//! Where the server goes is said by an operator's settings and by other sites' documents, so it looks before it connects (SSRF; OWASP
//! ASVS 5.0, 1.3.6 and 15.3.2): a name is resolved once and the connection is made to the very addresses that were looked at. Public
//! addresses are reached by https only; private ones if the caller says so, by http too; loopback counts as private, and link-local (where
//! clouds keep their metadata), multicast and reserved ones are never reached. Only the command line goes wherever its person says. No
//! redirect is followed, no proxy asked. TLS 1.2 or newer (R80), against the roots that Mozilla trusts, built in.

use super::config::loader::is_local;
use axum::{
    body::{Body, to_bytes},
    http::{HeaderValue, Request, Response, Uri, header},
};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, LazyLock},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{self, ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};
use tokio_util::task::AbortOnDropHandle;

/// From the look-up of the name to the last byte of the answer, unless the caller says otherwise.
pub const LASTS: Duration = Duration::from_secs(4);
/// The longest answer.
pub const MOST_BYTES: usize = 256 * 1024;

/// How far a request may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    Public,
    /// The operator's own network and this machine, too.
    PrivateToo,
    /// Wherever the person at the command line says, by https; by http to this machine only. Never for a server.
    Anywhere,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("{0} is not an http or https address")]
    Address(Uri),
    #[error("{0} is not on the public internet, and the settings do not allow to go there")]
    Private(IpAddr),
    #[error("plain http off this machine and private networks would be read on the way: use https")]
    Plain,
    #[error("no whole answer within {} seconds", .0.as_secs())]
    Late(Duration),
    #[error("it can't be reached: {0}")]
    Connection(#[from] io::Error),
    #[error("TLS can't be set up: {0}")]
    Tls(#[from] rustls::Error),
    #[error("the exchange broke off: {0}")]
    Exchange(#[from] hyper::Error),
    #[error("the answer can't be read, or is longer than {MOST_BYTES} bytes: {0}")]
    Answer(axum::Error),
}

/// Sends a request and reads its answer, whatever its status, within [`LASTS`].
pub async fn fetch(request: Request<Vec<u8>>, reach: Reach) -> Result<Response<Vec<u8>>, FetchError> {
    fetch_within(request, reach, LASTS).await
}

/// The same with another patience.
pub async fn fetch_within(request: Request<Vec<u8>>, reach: Reach, lasts: Duration) -> Result<Response<Vec<u8>>, FetchError> {
    timeout(lasts, connected(request, reach)).await.map_err(|_| FetchError::Late(lasts))?
}

/// True for an address that [`fetch`] would go to, as far as its writing tells.
pub fn is_allowed(uri: &url::Url, reach: Reach) -> bool {
    let is_plain_allowed = match reach {
        Reach::Public => false,
        Reach::PrivateToo => true,
        Reach::Anywhere => is_local(uri),
    };
    uri.has_host() && (uri.scheme() == "https" || (uri.scheme() == "http" && is_plain_allowed))
}

async fn connected(request: Request<Vec<u8>>, reach: Reach) -> Result<Response<Vec<u8>>, FetchError> {
    let uri = request.uri();
    let wrong = || FetchError::Address(uri.clone());
    let is_tls = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        _ => return Err(wrong()),
    };
    let host = uri.host().ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let addresses: Vec<SocketAddr> = lookup_host((host.as_str(), port)).await?.collect();
    for address in &addresses {
        look_at(address.ip(), is_tls, reach)?;
    }
    let stream = TcpStream::connect(&addresses[..]).await?;
    if !is_tls {
        return exchange(stream, request).await;
    }
    let name = ServerName::try_from(host).map_err(|_| wrong())?;
    let tls = TLS.as_ref().map_err(Clone::clone)?;
    exchange(TlsConnector::from(Arc::clone(tls)).connect(name, stream).await?, request).await
}

/// In origin form with its Host (RFC 9112 §3.2); the connection ends with the answer.
async fn exchange<S>(stream: S, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut request = request.map(Body::from);
    let uri = request.uri().clone();
    let host = uri.authority().map_or("", |authority| authority.as_str().rsplit('@').next().unwrap_or_default());
    let host = HeaderValue::from_str(host).map_err(|_| FetchError::Address(uri.clone()))?;
    request.headers_mut().insert(header::HOST, host);
    request.headers_mut().entry(header::USER_AGENT).or_insert(HeaderValue::from_static("Tollgate"));
    *request.uri_mut() = uri.path_and_query().map_or_else(|| Uri::from_static("/"), |path| Uri::from(path.clone()));

    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let (head, body) = sender.send_request(request).await?.into_parts();
    let bytes = to_bytes(Body::new(body), MOST_BYTES).await.map_err(FetchError::Answer)?;
    Ok(Response::from_parts(head, bytes.to_vec()))
}

/// Refuses an address that is out of reach.
fn look_at(address: IpAddr, is_tls: bool, reach: Reach) -> Result<(), FetchError> {
    if reach == Reach::Anywhere {
        let is_allowed = is_tls || address.to_canonical().is_loopback();
        return is_allowed.then_some(()).ok_or(FetchError::Plain);
    }
    match Place::of(address) {
        Place::Public if is_tls => Ok(()),
        Place::Public => Err(FetchError::Plain),
        Place::Private if reach == Reach::PrivateToo => Ok(()),
        Place::Private | Place::Special => Err(FetchError::Private(address)),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Public,
    Private,
    /// Of no use to anybody honest: link-local, multicast, documentation, addresses inside addresses.
    Special,
}

/// RFC 1918, RFC 6598, RFC 4193, loopback.
const PRIVATE: [&str; 7] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "::1/128", "fc00::/7"];

/// The rest of IANA's special-purpose registries (RFC 6890), as far as it lies in IPv4 or in 2000::/3.
const SPECIAL: [&str; 13] = [
    "0.0.0.0/8",
    "169.254.0.0/16",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
];

/// All of IPv6 that is handed out (RFC 4291 §2.4).
const GLOBAL_V6: &str = "2000::/3";

impl Place {
    fn of(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let within = |nets: &[&str]| nets.iter().filter_map(|net| net.parse::<IpNet>().ok()).any(|net| net.contains(&address));
        match () {
            () if within(&PRIVATE) => Self::Private,
            () if within(&SPECIAL) || (address.is_ipv6() && !within(&[GLOBAL_V6])) => Self::Special,
            () => Self::Public,
        }
    }
}

/// Trusts the roots that mail and database trust, too.
static TLS: LazyLock<Result<Arc<ClientConfig>, rustls::Error>> = LazyLock::new(|| {
    let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_can_be_read() {
        for net in PRIVATE.iter().chain(&SPECIAL).chain(&[GLOBAL_V6]) {
            assert!(net.parse::<IpNet>().is_ok(), "{net}");
        }
    }

    #[test]
    fn r80_private_addresses_are_refused_unless_allowed_and_special_ones_always() {
        let may = |address: &str, is_tls, reach| look_at(address.parse().unwrap(), is_tls, reach).is_ok();
        for public in ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(may(public, true, Reach::Public) && !may(public, false, Reach::Public) && !may(public, false, Reach::PrivateToo), "{public}");
        }
        for private in ["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.0.1", "100.64.0.1", "::1", "fd00::1", "::ffff:127.0.0.1"] {
            assert!(!may(private, true, Reach::Public) && !may(private, false, Reach::Public), "{private}");
            assert!(may(private, true, Reach::PrivateToo) && may(private, false, Reach::PrivateToo), "{private}");
        }
        for special in
            ["169.254.169.254", "0.0.0.0", "255.255.255.255", "224.0.0.1", "fe80::1", "::", "64:ff9b::a00:1", "2002:a00:1::", "::ffff:169.254.169.254"]
        {
            assert!(!may(special, true, Reach::PrivateToo) && !may(special, false, Reach::PrivateToo), "{special}");
        }
    }

    #[test]
    fn the_command_line_goes_anywhere_but_in_clear_only_to_this_machine() {
        let may = |address: &str, is_tls| look_at(address.parse().unwrap(), is_tls, Reach::Anywhere).is_ok();
        for local in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            assert!(may(local, true) && may(local, false), "{local}");
        }
        for away in ["8.8.8.8", "192.168.0.1", "64:ff9b::808:808", "198.18.0.1", "2606:4700::1111"] {
            assert!(may(away, true) && !may(away, false), "{away}");
        }
        let allowed = |uri: &str| is_allowed(&uri.parse().unwrap(), Reach::Anywhere);
        assert!(allowed("http://localhost:3000") && allowed("http://[::1]:3000") && allowed("https://gate.example.com"));
        assert!(!allowed("http://gate.example.com") && !allowed("http://192.168.0.1") && !allowed("ftp://localhost"));
    }

    #[tokio::test]
    async fn r80_names_and_numbers_of_private_networks_are_not_connected_to() {
        for address in ["https://127.0.0.1:9/", "https://localhost:9/", "https://[::1]:9/", "https://[::ffff:127.0.0.1]:9/", "https://169.254.169.254/"] {
            let answer = fetch(Request::get(address).body(Vec::new()).unwrap(), Reach::Public).await;
            assert!(matches!(answer, Err(FetchError::Private(_))), "{address}: {answer:?}");
        }
        for address in ["ftp://example.com/", "/path"] {
            let answer = fetch(Request::get(address).body(Vec::new()).unwrap(), Reach::PrivateToo).await;
            assert!(matches!(answer, Err(FetchError::Address(_))), "{address}: {answer:?}");
        }
    }

    #[test]
    fn r80_tls_can_be_set_up() {
        assert!(TLS.is_ok());
    }
}
