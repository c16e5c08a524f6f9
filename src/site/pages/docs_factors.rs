//! The part of `/docs` on second factors: what they are, how they are lost, who must have one.

use leptos::prelude::*;

pub fn factors() -> impl IntoView {
    view! {
        <h2 id="two-factor">"Two-factor sign-in"</h2>
        <p>"On "<a href="/settings/security">"Security"</a>" an authenticator app is set up: any that knows TOTP (RFC 6238; SHA-1, six digits, 30 seconds). Signing in then takes the password and, within ten minutes and in the same browser, a code of the app. A code works once; one that is a step old still does, one of a later step does not, so the clock of the phone may be late by 30 seconds. Wrong passwords and wrong codes are counted together. A new password, by whatever way, does not get around the code."</p>
        <p>"With the app come ten recovery codes of 80 bits. They are shown once, each works once in place of the app, and new ones kill the old. Tollgate keeps of them an HMAC-SHA-256 under its master key, and of the app its seed, encrypted under that key: the database alone is of no use to a thief. Keep the master key with your backups, for without it no code is right any more."</p>
        <p>"Setting up, replacing and removing an app, new recovery codes, signing out other devices, another address, exporting all data, leaving, creating a key for Tollgate itself, and what operators do to accounts, need a proof that is not older than ten minutes: the password, a code or a recovery code. The form that was sent comes back as it was, once, to the same session. Every change of a factor is told by mail."</p>
        <p>"Who lost app and codes asks an operator, who resets the factors on the account's page in Admin: 24 hours later, unless the owner stops it by the mailed link. On the server itself "<code>"tollgate account reset-factors EMAIL --reason WORDS"</code>" does it at once. "<code>"TOLLGATE_SECOND_FACTOR=operators"</code>" requires a second factor of operators, "<code>"all"</code>" of everybody: whoever has none is led to set one up right after signing in, and can do nothing else in a browser until then. API keys go on working."</p>
    }
}
