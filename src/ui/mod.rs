//! The design system: server-rendered components that know no feature. Classes live in `style/components/`, one file per
//! component; pages use components and a few utilities, never values of their own. `/dev/ui` shows everything in every state.
//!
//! | for | use |
//! | --- | --- |
//! | an act, a way | `Button` `LinkButton` `IconButton` `IconLink` (`look=Look::Primary`, `size=Size::Small`) |
//! | a form | `Form action=CreateKey::PATH` (`FormPanel` beside a list, `NewForm` above it, `ActForm` for one button, `asked_fields` where a wrong address is asked again) with `TextField` `PasswordField` `FileField` `TextArea` `SelectField` `CheckField` `CheckGroup` `RadioGroup`, rarer ones in `MoreFields`; the server provides `FormOutcome`; `version=` of what the form shows, where it changes what is there |
//! | filters | `Filters` with `SearchField` `FilterSelect`, rarer ones in `MoreFilters`; `Chip`, `Segments` |
//! | comparing | `Table` (`heads`) `SortHeader` `Pagination`; `Sparkline` in a cell |
//! | state, facts | `Badge` `BadgeTip` `OutlineBadge` `CodeTag`; `Facts` of `Fact`, `Figures` of `Figure`, `Timeline` |
//! | saying | `Note` `Banner` `Toast` `Empty` `ErrorPage` |
//! | deciding | `Dialog` (a state of the page with a URL), `Menu` and `ButtonMenu` (popovers) |
//! | copying | `Secret` `CodeBlock` `CopyId` `CopyButton` |
//! | numbers over time | `chart::UsageChart` `QuotaMeter` `Bar`; words: `number::*`, `time::*` |
//! | around a page | `layout::{AppFrame, AuthFrame, PublicFrame, PageHeader, Section}`; `loaded(load, show, next)`, `awaited(load, show)`; `status::set(404)` |
//!
//! An optional prop takes the bare value (`help="…"`); to pass an `Option` write `nostrip:help=value`.

pub mod avatar;
pub mod badge;
pub mod button;
pub mod chart;
pub mod choice;
pub mod code;
pub mod dialog;
pub mod empty;
pub mod facts;
pub mod field;
pub mod filters;
pub mod form;
pub mod icon;
pub mod layout;
pub mod loaded;
pub mod mark;
pub mod menu;
pub mod more;
pub mod note;
pub mod number;
pub mod panel;
pub mod progress;
pub mod status;
pub mod table;
pub mod tabs;
pub mod theme;
pub mod time;
pub mod timeline;
pub mod toast;

pub use avatar::*;
pub use badge::*;
pub use button::*;
pub use chart::{Sparkline, UsageChart};
pub use choice::*;
pub use code::*;
pub use dialog::*;
pub use empty::*;
pub use facts::*;
pub use field::*;
pub use filters::*;
pub use form::*;
pub use icon::*;
pub use layout::*;
pub use loaded::{awaited, loaded};
pub use mark::*;
pub use menu::*;
pub use more::*;
pub use note::*;
pub use panel::*;
pub use progress::*;
pub use table::*;
pub use tabs::*;
pub use theme::*;
pub use time::{Ago, AgoOrNever, Moment};
pub use timeline::*;
pub use toast::*;
