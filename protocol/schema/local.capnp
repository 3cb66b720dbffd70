@0xd0d85e2dc09a8ba5;

# What a client asks its own daemon, and the answers. Each message is one canonical segment with a
# Request or an Answer at its root. Every pointer is set, also for an empty text or list, but for the
# three that may be absent: FrontRequest.author, RecordSummary.to, Disclosure.consent. Keys, ids and hashes are 32 bytes.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("kith::wire::local");

struct Request {
  union {
    status @0 :Void;
    members @1 :Void;
    authors @2 :Void;
    proposals @3 :Void;
    publish @4 :List(Data);   # Texts of signed records: one act of publishing.
    enrol @5 :Data;           # A statement.
    invite @6 :List(Text);    # Addresses to give instead of the profile's, or none.
    list @7 :ListRequest;
    show @8 :Text;            # A unique prefix of a record id.
    thread @9 :Text;
    watch @10 :UInt64;        # Rows after this sequence.
    front @11 :FrontRequest;
    audit @12 :Text;          # A member's code, or empty for all.
    exportLogs @13 :ExportLogsRequest;
    exportEntries @14 :ExportRequest;
    prove @15 :Text;          # A unique prefix of a record id.
    disclose @16 :DiscloseRequest;
  }
}

struct DiscloseRequest {
  ids @0 :List(Text);         # Unique prefixes of record ids, or none: the whole log.
  member @1 :Text;            # Whose: a code, or empty.
  recipient @2 :Text;
  purpose @3 :Text;
  preview @4 :Bool;           # Only what would be opened: no key, no line in the trail.
}

struct ExportLogsRequest {
  member @0 :Text;            # A code, or empty for all.
  after @1 :Data;             # A log's id; empty: from the first.
  limit @2 :UInt32;           # At most so many logs; 0: as many as fit.
}

struct ExportRequest {
  log @0 :Data;
  first @1 :UInt64;           # A multiple of 256.
  last @2 :UInt64;            # At most 256 more.
  payloadsFrom @3 :UInt64;    # Between the two; the leaves are sent if it is the first.
  withSealed @4 :Bool;        # Or only payloads in clear.
}

struct ListRequest {
  kind @0 :Text;
  member @1 :Text;
  beforeSequence @2 :UInt64;
  limit @3 :UInt32;
  afterSequence @4 :UInt64;
}

struct FrontRequest {
  author @0 :Data;            # May be absent.
  sinceSequence @1 :UInt64;
}

struct Answer {
  union {
    refusal @0 :Refusal;
    progress @1 :Progress;
    status @2 :Status;
    members @3 :List(Member);
    authors @4 :Authors;
    proposals @5 :Proposals;
    publish @6 :Published;
    enrol @7 :UInt64;         # Index of the statement in the log.
    invite @8 :Invitation;
    list @9 :RecordList;
    show @10 :ShownRecord;
    thread @11 :List(ThreadRow);
    watch @12 :RecordSummary;
    front @13 :Front;
    audit @14 :List(AuditRow);
    exportLogs @15 :ExportedLogs;
    exportEntries @16 :ExportedEntries;
    prove @17 :Proof;
    disclose @18 :Disclosure;
  }
}

enum Errc {
  malformed @0;
  notFound @1;
  badSignature @2;
  badProof @3;
  forbidden @4;
  conflict @5;
  unrequested @6;
  tooLarge @7;
  stale @8;
  unavailable @9;
  io @10;
  usage @11;
}

struct Refusal {
  code @0 :Errc;
  said @1 :Text;
}

struct Progress {
  done @0 :UInt64;
  total @1 :UInt64;
  doing @2 :Text;
}

struct Status {
  version @0 :Text;
  state @1 :Text;
  stateDetail @2 :Text;
  network @3 :Data;
  networkName @4 :Text;
  aim @5 :Text;
  member @6 :Data;
  code @7 :Text;
  commonsLog @8 :Data;
  decision @9 :Data;
  decisions @10 :UInt32;
  members @11 :UInt32;
  peersConnected @12 :UInt32;
  logSize @13 :UInt64;
  agreedSize @14 :UInt64;
  records @15 :UInt64;
  incomplete @16 :UInt64;
  bad @17 :UInt64;
  diskBytes @18 :UInt64;
  nextEnrolment @19 :UInt32;
  lastSequence @20 :UInt64;
  listen @21 :Text;
}

struct Member {
  member @0 :Data;
  code @1 :Text;
  name @2 :Text;
  role @3 :Text;
  addresses @4 :List(Text);
  self @5 :Bool;
  paused @6 :Bool;
  connected @7 :Bool;
  frozen @8 :Bool;
  heard @9 :UInt64;
  lastError @10 :Text;
  heldSize @11 :UInt64;
  agreedSize @12 :UInt64;
  knownSize @13 :UInt64;
  gaps @14 :UInt64;
  judged @15 :UInt64;
  witnesses @16 :UInt32;
  cosigned @17 :UInt32;
  records @18 :UInt64;
  unasked @19 :List(Text);    # Codes: it signs without having heard what they hold of its log.
}

struct Authors {
  nextNumber @0 :UInt32;
  authors @1 :List(Author);
}

struct Author {
  author @0 :Data;
  scopes @1 :UInt8;
}

struct Profile {
  code @0 :Text;
  name @1 :Text;
  role @2 :Text;
  addresses @3 :List(Text);
}

struct Candidate {
  member @0 :Data;
  profile @1 :Profile;
  certificate @2 :Data;
  since @3 :UInt64;
  warning @4 :Text;           # What speaks against admitting it as it is, or empty.
}

struct Word {
  code @0 :Text;
  word @1 :Kind;

  enum Kind {
    object @0;
    standAside @1;
    agree @2;
  }
}

struct OpenProposal {
  id @0 :Data;
  proposer @1 :Text;
  effects @2 :List(Text);
  rule @3 :Text;
  words @4 :List(Word);
  electors @5 :UInt32;
  ourRound @6 :UInt32;
  explanation @7 :Text;
  admits @8 :List(Data);      # Ids of those whom it would admit.
  ourWord @9 :Text;          # Our newest: "agree", "stand aside", "object", or empty.
  oursAgreed @10 :Bool;       # In any round.
  oursAgreedNow @11 :Bool;    # In our round.
  waitsForUs @12 :Bool;
}

struct Proposals {
  basis @0 :Data;
  proposals @1 :List(OpenProposal);
  candidates @2 :List(Candidate);
}

struct Published {
  records @0 :List(PublishedRecord);
  size @1 :UInt64;
  checkpoint @2 :Text;
  waiting @3 :Text;           # Why it is in no log yet; then indices and size are 0.
}

struct PublishedRecord {
  id @0 :Data;
  index @1 :UInt64;
}

struct Invitation {
  invitation @0 :Text;
  expires @1 :UInt64;
}

struct RecordSummary {
  id @0 :Data;
  member @1 :Text;
  kind @2 :Text;
  author @3 :Data;
  time @4 :UInt64;
  title @5 :Text;
  bodyBytes @6 :UInt64;
  index @7 :UInt64;
  sequence @8 :UInt64;
  to @9 :Data;                # May be absent.
  replies @10 :UInt32;
  agreed @11 :Bool;
  replyKind @12 :Text;        # Of a reply: question, answer …; else empty.
}

struct RecordList {
  records @0 :List(RecordSummary);
  more @1 :Bool;
}

struct ShownRecord {
  record @0 :RecordSummary;
  body @1 :Data;
  confirmed @2 :UInt32;
  witnesses @3 :UInt32;
}

struct ThreadRow {
  record @0 :RecordSummary;
  depth @1 :UInt32;
  body @2 :Data;
}

struct Front {
  status @0 :Status;
  candidates @1 :List(Candidate);
  proposals @2 :List(OpenProposal);
  answers @3 :List(RecordSummary);
  news @4 :List(RecordSummary);
  answersCount @5 :UInt32;
  newsCount @6 :UInt32;
}

struct AuditRow {
  code @0 :Text;
  member @1 :Data;
  log @2 :Data;
  size @3 :UInt64;
  root @4 :Data;
  agreed @5 :UInt64;
  witnesses @6 :UInt32;
  cosigned @7 :UInt32;
  records @8 :UInt64;
  statements @9 :UInt64;
  unknownKinds @10 :UInt64;
  missing @11 :UInt64;
  sealed @12 :UInt64;
  authors @13 :UInt32;
  certificates @14 :UInt32;
  frozen @15 :Bool;
  intact @16 :Bool;
  faults @17 :List(Text);
}

struct Cosignature {
  size @0 :UInt64;
  root @1 :Data;
  witness @2 :Data;
  timeSeconds @3 :UInt64;
  signature @4 :Data;
}

struct ExportedLog {
  code @0 :Text;
  member @1 :Data;
  space @2 :Data;
  log @3 :Data;
  size @4 :UInt64;            # Of the checkpoint.
  checkpoint @5 :Text;        # A signed note.
  cosignatures @6 :List(Cosignature);
  frozen @7 :Bool;            # Two conflicting histories of it are known.
}

struct ExportedLogs {
  network @0 :Data;
  networkName @1 :Text;
  member @2 :Data;            # Whose daemon this is.
  logs @3 :List(ExportedLog);   # In the order of their ids.
  certificates @4 :List(Data);  # Statements of all witnesses of these.
  more @5 :Bool;                # Others follow the last of these.
}

struct ExportedEntries {
  leaves @0 :Data;            # A bundle, or empty: sent before.
  payloads @1 :Data;          # A payload list from payloadsFrom on: as much as fits.
  payloadsTo @2 :UInt64;
}

struct Proof {
  record @0 :RecordSummary;
  space @1 :Data;
  leaf @2 :Text;
  path @3 :List(Data);        # Hashes, the leaf's sibling first.
  checkpoint @4 :Text;        # A signed note that covers it.
  log @5 :Data;
  cosignatures @6 :List(Cosignature);
  certificates @7 :List(Data);  # Of the owner and of all witnesses.
  witnesses @8 :UInt32;
}

struct Disclosure {
  code @0 :Text;              # Whose log it is.
  member @1 :Data;
  size @2 :UInt64;            # Entries of that log held here.
  consent @3 :Data;           # Of that member; absent: it is the own log.
  records @4 :List(RecordSummary);  # None: the whole log.
  file @5 :Text;              # The .kith-disclosure; empty in a preview.
}
