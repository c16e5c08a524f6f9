//! The part of `/docs` about one's own account: another address, what others see, all one's data, leaving.

use leptos::prelude::*;

pub fn account() -> AnyView {
    view! {
        <h2 id="account">"Your account"</h2>
        <p>"Another address counts once it is proven: "<a href="/settings/email">"ask for it"</a>", then press the button behind the link that we mail to the new one (60 minutes), or type its code (10 minutes, five tries). The old address can't sign in from that moment. It is told, and can take the change back for 7 days: then it returns, every session and the password end, and a link to set a new one is mailed. A request dies with a newer one, with a new password, and when you take it back. Over REST: "<code>"POST /api/v1/me/email"</code>", "<code>"…/confirm"</code>", "<code>"…/undo"</code>"."</p>
        <p>"Others see nothing of you until you choose a handle and tick what they may see, on "<a href="/settings/public">"What others see"</a>". Then it is at "<code>"/u/{handle}"</code>" and "<code>"GET /api/v1/users/{handle}"</code>". A handle has 3 to 30 letters, digits and hyphens and stays for 30 days; one that is given up is nobody else's for 90 days. Where nothing is ticked the answer is 404, as where nobody has the handle."</p>
        <p>"A site may ask for more than name and address: its operators define fields on "<a href="/admin/fields">"Fields"</a>" (text, number, day, one of a list, yes or no, web address). They stand on your profile, where the operators say so on signing up too, and over REST in "<code>"fields"</code>" of "<code>"PATCH /api/v1/me"</code>": every value is text, an empty one takes it away. Of those that the operators let people show, you say in "<code>"public_fields"</code>" which everybody sees. Operators find accounts by a whole value: "<code>"team=Blue"</code>" in the search of Accounts."</p>
        <p>"On "<a href="/settings/danger">"Danger"</a>" you get all your data as one JSON file: ask for it, fetch it within 24 hours of the mail (or "<code>"POST"</code>" and "<code>"GET /api/v1/me/export"</code>"). It holds no secrets: of keys what you see on their pages, of calls the sums by month."</p>
        <p>"Leaving for a while (deactivating) signs every device out and answers your keys "<code>"BANNED"</code>"; nothing is erased, and signing in offers to bring it back. Leaving for good takes your address typed out, and the button behind a link that we mail (60 minutes). Then the same happens, and 30 days later the account is erased with its workspace, keys and settings; until then signing in, or the link in the mail, brings it back. What stays: the history of events, under a pseudonym and without addresses and devices, and counts of calls until their retention ends. The last operator of a site can't leave. All of this needs a "<a href="#two-factor">"proof that is not older than ten minutes"</a>"; over REST a key does not do: "<code>"current_password"</code>" is sent, too."</p>
    }
    .into_any()
}
