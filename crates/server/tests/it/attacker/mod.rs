//! A scripted attacker: each file plays one family of attacks as whoever means harm would, against the bank's pages over
//! real sockets, and each attack ends as the rules say. What single rules promise is proven beside them (`bank/`).

mod browsing;
mod connections;
mod csrf;
mod csv;
mod enumeration;
mod fixation;
mod ground;
mod headers;
mod lockout;
mod mass;
mod names;
mod oversize;
mod race;
mod replay;
mod stuffing;
