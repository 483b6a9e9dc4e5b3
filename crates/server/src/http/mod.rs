//! What every listener shares: connections, names of requests, addresses of clients.

mod address;
mod admission;
mod connection;
mod crowd;
mod framing;
mod health;
mod request_id;
mod said;
mod seldom;

pub use address::{ClientAddress, PeerAddress};
pub use admission::{Admission, Place, is_exempt, outside};
pub use connection::{Doors, Listener, ServeError, serve};
pub use health::{Health, let_go};
pub use request_id::RequestId;
pub use said::Said;
