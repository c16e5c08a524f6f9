//! The part of `/docs` on invitations, on the master key and its rotation, and on what a build is made of.

use leptos::prelude::*;

pub fn invitations() -> AnyView {
    view! {
        <h2 id="invitations">"Invitations"</h2>
        <p>"With "<code>"TOLLGATE_SIGN_UP=invite"</code>" nobody signs up without an invitation. Operators make them on "<a href="/admin/invites">"Invitations"</a>" or by "<code>"tollgate invite create --email you@example.com"</code>": it is mailed to that address, lives for up to 90 days, and lets in that address alone, in capitals or small letters. Whoever opens it and signs up with another address, or is signed in as somebody else, is told so, and the invitation is not used up. Without an address it is a link for 1 to 1,000 people, shown once. An address is invited once at a time; 500 invitations may be open at once."</p>
        <p>"Sent again, an invitation has a new link, and the old one is dead; cancelled, it lets in nobody more, and who came in by it stays. Of a link only the SHA-256 is stored. Invitations that are over are forgotten after 30 days."</p>
    }
    .into_any()
}

pub fn master_key() -> AnyView {
    view! {
        <h2 id="master-key">"The master key"</h2>
        <p>"The file "<code>"secret"</code>" in the data folder ("<code>"TOLLGATE_SECRET_FILE"</code>") is made on the first start. What must be read again is sealed under keys derived from it (AES-256-GCM): seeds of authenticator apps, signing secrets, cookies. Passwords are mixed with it before they are hashed, recovery codes and short codes are HMACs under it. Keep a copy apart from the backups of the database. Several servers on one database have the same one; one that starts with another is refused, and told which is missing. Other secrets come from the environment or from files, too: "<code>"DATABASE_URL_FILE"</code>", "<code>"TOLLGATE_SMTP_URL_FILE"</code>", "<code>"client_secret_file"</code>" of a provider."</p>
        <p><code>"tollgate master-key rotate"</code>" puts a new key in its place and the old one beside it, as "<code>"secret.1a2b3c4d"</code>": the ending is its id, the first bytes of an HMAC under it. From the next start on everything new is made under the new key, and all that the old one made is still read. Where keys are handed to servers otherwise, name the old ones in "<code>"TOLLGATE_PREVIOUS_SECRET_FILES"</code>". With several servers, first let every one of them read the new key, there as well, and then put it in the place of the old one."</p>
        <ul>
            <li>"Sealed things carry the id of their key. A job seals them anew, at the start and every night: seeds and signing secrets need the old key no more after it."</li>
            <li>"A password is hashed anew at the next sign-in, without a word."</li>
            <li>"The admin PIN stays under the key that it was set with: set it again on the command line."</li>
            <li>"Recovery codes stay under the old key until they are used or made anew, for nobody knows them."</li>
            <li>"Counts of wrong tries go on, codes and challenges that live for minutes work, cookies are read: each key is tried, without telling by the time which one it was."</li>
            <li>"Lists of salted hashes that were imported under the old key are known again as long as it is there, and after that as long as nobody used or ended their secrets."</li>
            <li>"Links in mails work whichever server made them and whichever mails them: the job of a mail names the key under which its link was made, and a server that has not got that key leaves the job to others. So a link lives as long as its key is read."</li>
            <li>"Entries of the audit log are never made anew. When their key is dropped a checkpoint takes the place of their HMACs: see "<a href="#audit">"The audit log"</a>"."</li>
        </ul>
        <p><code>"tollgate master-key status"</code>" says how much is still under each key, and "<code>"tollgate master-key drop 1a2b3c4d"</code>" gives one up. As long as something would be lost it says what and asks for "<code>"--yes"</code>": people whose passwords were not hashed anew set new ones by mail, and who has old recovery codes makes new ones. A key that somebody else may have is dropped so; one that is lost, too. Keep a dropped key with the backups from its time."</p>
        <p>"Before it drops a key the command verifies the whole audit log with it, and writes the checkpoint. If something can't be verified, or a server still writes with the old key, nothing is dropped: start every server and worker again, or find out what was changed. For a key that is lost there is "<code>"--force-unverified"</code>": the checkpoint then says that nobody verified what stands before it. If a server that was forgotten wrote with the key after it was dropped, verifying says that the key is not here: start that server again, then say the same command once more with "<code>"--force-unverified"</code>", and another checkpoint covers what it wrote. Rotating and dropping are told in the audit log, with the ids of the keys; so "<code>"rotate"</code>" needs the database."</p>
        <h2 id="bill">"What a build is made of"</h2>
        <p><code>"make build"</code>" leaves a bill of materials beside the binary, "<code>"tollgate.cdx.json"</code>" (CycloneDX 1.5): every package of the server and of the browser's code with version, licence and SHA-256, and what only builds them as “excluded”. The same lock file gives the same bytes. "<code>"make audit"</code>" checks licences, sources and known vulnerabilities (RustSec) by cargo-deny, and says what it could not check. Postgres' own programs are those of the machine."</p>
    }
    .into_any()
}
