@0xb7d2f6a1c9e84d35;

# Records and statements: what is signed, stored and hashed. Only canonical segments count; every
# pointer is set, also for an empty text or list, but for Certificate.cutList (docs/PROTOCOL).

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("kith::wire");

struct Record {
  nonce @0 :Data;        # 16 bytes
  kind @1 :Text;
  body @2 :Data;
  author @3 :Data;       # Ed25519
  time @4 :UInt64;       # milliseconds since 1970
  network @5 :Data;
  log @6 :Data;
}

struct Certificate {
  network @0 :Data;
  member @1 :Data;
  number @2 :UInt64;
  logKey @3 :Data;
  witnessKey @4 :Data;
  transportKey @5 :Data;
  sealingKey @6 :Data;
  daemonKey @7 :Data;
  steward @8 :Data;
  relays @9 :List(Data);
  reason @10 :Reason;
  cutList @11 :Data;     # null unless reason is cut

  enum Reason {
    first @0;
    planned @1;
    lost @2;
    cut @3;
  }
}

struct CutLog {
  log @0 :Data;
  size @1 :UInt64;
  root @2 :Data;
}

struct CutList {
  logs @0 :List(CutLog);   # 1 or more, in order of log id
}

struct Enrolment {
  network @0 :Data;
  member @1 :Data;
  number @2 :UInt32;
  author @3 :Data;
  scopes @4 :UInt8;      # publish 1, speak 2, steward 4
  steward @5 :Data;
}

struct Profile {
  code @0 :Text;
  name @1 :Text;
  role @2 :Text;
  addresses @3 :List(Text);
}

struct Rule {
  form @0 :Form;
  k @1 :UInt32;          # 0 unless form is kOfN

  enum Form {
    majority @0;
    kOfN @1;
    all @2;
  }
}

struct Charter {
  name @0 :Text;
  aim @1 :Text;
  admit @2 :Rule;
  part @3 :Rule;
  charter @4 :Rule;
  space @5 :Rule;
  succession @6 :Rule;
}

struct Founding {
  profile @0 :Profile;
  charter @1 :Charter;
}

struct Effect {
  union {
    admit :group {
      certificate @0 :Data;   # a statement: segment and signature
      profile @1 :Profile;
    }
    part @2 :Data;
    pause @3 :Data;
    resume @4 :Data;
    charter @5 :Charter;
  }
}

struct Proposal {
  basis @0 :Data;
  effects @1 :List(Effect);
}

struct Consent {
  proposal @0 :Data;
  round @1 :UInt32;
  word @2 :Word;

  enum Word {
    object @0;
    standAside @1;
    agree @2;
  }
}

struct Seen {
  proposal @0 :Data;
  round @1 :UInt32;
}

struct KeyGrant {
  space @0 :Data;
  basis @1 :Data;
  keyIdG @2 :Data;
  keyIdR @3 :Data;
  boxes @4 :List(Data);  # 112 bytes each
}
