//! The part of `/docs` about programs that sign in: tokens, refreshing, the device flow, the command line.

use crate::ui::{CodeBlock, SiteOrigin};
use leptos::prelude::*;

const PASSWORD: &str = r#"curl http://127.0.0.1:3000/api/v1/auth/token -H "Content-Type: application/json" \
  -d '{"grant_type": "password", "client_id": "nightly backup",
       "email": "mara@example.com", "password": "…", "code": "123456"}'

{"access_token": "tga_…", "token_type": "Bearer", "expires_in": 900, "refresh_token": "tgr_…"}

curl http://127.0.0.1:3000/api/v1/me -H "Authorization: Bearer tga_…"

curl http://127.0.0.1:3000/api/v1/auth/token -H "Content-Type: application/json" \
  -d '{"grant_type": "refresh_token", "refresh_token": "tgr_…"}'

curl http://127.0.0.1:3000/api/v1/auth/logout -H "Authorization: Bearer tga_…" -X POST"#;

const DEVICE: &str = r#"curl http://127.0.0.1:3000/api/v1/auth/device -d client_id="nightly backup"

{"device_code": "…", "user_code": "WXZB-CDFG", "verification_uri": "http://127.0.0.1:3000/device",
 "verification_uri_complete": "http://127.0.0.1:3000/device?user_code=WXZB-CDFG",
 "expires_in": 600, "interval": 5}

curl http://127.0.0.1:3000/api/v1/auth/token -d device_code="…" \
  -d grant_type=urn:ietf:params:oauth:grant-type:device_code

tollgate login --url https://gate.example.com
tollgate whoami
tollgate logout"#;

pub fn programs() -> AnyView {
    view! {
        <h2 id="programs">"Programs that sign in"</h2>
        <p>"A service has a key. A program that acts for a person signs in as that person: it gets an access token, which is sent like a key to every REST route and may do what the account may, and a refresh token that brings the next pair. An access token works for 15 minutes. The sign-in ends after 30 days without a refresh ("<code>"TOLLGATE_TOKEN_IDLE"</code>"), after 90 days in any case ("<code>"TOLLGATE_TOKEN_MAX"</code>"), and with everything that ends sessions: a new password, a ban, leaving, “Sign out everywhere”. Programs stand on "<a href="/settings/sessions">"Sessions"</a>" beside browsers; an account has as many at once as "<code>"TOLLGATE_SESSION_COUNT"</code>" allows devices, and the newest wins. A program that was not signed in before is told by mail."</p>
        <CodeBlock id="programs-password" title="By email and password" code=SiteOrigin::in_example(PASSWORD)/>
        <p>"Email and password pass the same locks and bans as in a browser. Where the account has a second factor and none was sent, the answer is 400 with "<code>"error"</code>" "<code>"mfa_required"</code>": send the same again with "<code>"code"</code>" or "<code>"recovery_code"</code>". Errors are problem documents and carry "<code>"error"</code>" as RFC 6749 has it. The password is taken as JSON only, and there is no setting that changes it: RFC 9700 forbids the password grant of OAuth. The other two grants are also read in the encoding of forms."</p>
        <p>"A refresh token works once. For 30 seconds after its use the same one is answered with the same next pair again, for networks that break and processes that share it; later than that it was copied, or the answer was lost: the whole sign-in ends, and its owner is told by mail (RFC 9700). So keep the new pair before you use it. "<code>"POST /api/v1/auth/logout"</code>" ends a sign-in at once on every node, by its access token or with "<code>"{\"refresh_token\": \"tgr_…\"}"</code>". What needs a "<a href="#two-factor">"proof that is not older than ten minutes"</a>" is answered 403 unless the password was shown within them."</p>
        <CodeBlock id="programs-device" title="By a browser (RFC 8628)" code=SiteOrigin::in_example(DEVICE)/>
        <p>"A program without a browser shows a code of eight letters, good for 10 minutes. Its person types it on "<a href="/device">"/device"</a>", sees what asks, from which address and since when, and approves it, with a proof that is not older than ten minutes, or denies it. Meanwhile the program asks every "<code>"interval"</code>" seconds and reads "<code>"authorization_pending"</code>", "<code>"slow_down"</code>" (five seconds more from then on), "<code>"access_denied"</code>" or "<code>"expired_token"</code>". Never approve a code that somebody sent you. "<code>"tollgate login"</code>" does all this and keeps the tokens in "<code>"~/.config/tollgate/login.json"</code>", readable by you only. It trusts the public certificate authorities, and plain http on this machine only."</p>
    }
    .into_any()
}
