//! The part of `/docs` about mails: languages, what they say, how operators look at them, and what becomes of one that can't be sent.

use leptos::prelude::*;

pub fn mails() -> AnyView {
    view! {
        <h2 id="mails">"Mails"</h2>
        <p>"Every mail is written in English and in German, as text and as HTML without images or anything remote. The language is the account's ("<a href="/settings/profile">"Profile"</a>"); a new account takes it from the browser's "<code>"Accept-Language"</code>", or, where that names neither, from "<code>"TOLLGATE_MAIL_LANGUAGE"</code>" ("<code>"en"</code>"). Times are in the account's time zone."</p>
        <p>"A mail about your account says what happened, when, in which browser and from which address, and what to do if it wasn't you. Its links lead to this site only, work once, and change nothing when they are merely opened: mail scanners may open them. A name that looks like an address is written so that no mail program makes a link of it. No mail holds a code that signs in."</p>
        <p>"Operators see every kind on "<a href="/admin/templates">"Channels & templates"</a>", in each language, with usual and with hostile facts (HTML as a name, line breaks, a turned direction of writing, 200 characters, an address), and send themselves a test: to their own confirmed address, marked, 20 before each further one has to wait."</p>
        <p>"Mails are jobs. One that the server refuses for now (4xx), or that it does not take within 40 seconds, is tried again ten times with growing pauses, in about 45 minutes; one that is refused for good (5xx) is at once on "<a href="/admin/jobs">"Jobs"</a>", with the server's words, to be retried by hand. A slow server holds up no other mail. If a connection breaks after the mail was handed over, it is sent again, with the same "<code>"Message-ID"</code>": at least once, never lost."</p>
    }
    .into_any()
}
