@0xd41f0c7a92e6b835;

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("kith_wire_peer");

# What daemons say to one another: one Message to a message of the channel. docs/PROTOCOL, "Messages".

struct LogSummary {
  log @0 :Data;
  size @1 :UInt64;
  root @2 :Data;
  agreed @3 :UInt64;
  gaps @4 :Data;
  frozen @5 :Bool;
}

struct Cosignature {
  size @0 :UInt64;
  root @1 :Data;
  witness @2 :Data;
  timeSeconds @3 :UInt64;
  signature @4 :Data;
}

struct Tile {
  level @0 :UInt8;
  index @1 :UInt64;
}

struct Message {
  union {
    welcome :group {
      digest @0 :Data;
      lastCommon @1 :Data;
      certificateNumber @2 :UInt64;
      yourCertificateNumber @3 :UInt64;
    }
    have @4 :List(LogSummary);
    getCheckpoints @5 :List(Data);
    announce :group {
      log @6 :Data;
      note @7 :Text;
      certificates @8 :List(Data);
      cosignatures @9 :List(Cosignature);
    }
    push :group {
      log @10 :Data;
      note @11 :Text;
      first @12 :UInt64;
      leaves @13 :Data;
      payloads @14 :Data;
    }
    cosigned :group {
      log @15 :Data;
      cosignature @16 :Cosignature;
    }
    getTiles :group {
      log @17 :Data;
      size @18 :UInt64;
      tiles @19 :List(Tile);
    }
    tiles :group {
      log @20 :Data;
      size @21 :UInt64;
      tiles @22 :List(Data);
    }
    getEntries :group {
      log @23 :Data;
      first @24 :UInt64;
      last @25 :UInt64;
      payloadsFrom @26 :UInt64;
    }
    entries :group {
      log @27 :Data;
      first @28 :UInt64;
      last @29 :UInt64;
      payloadsFrom @30 :UInt64;
      leaves @31 :Data;
      payloads @32 :Data;
    }
    getPayloads :group {
      log @33 :Data;
      indices @34 :List(UInt64);
    }
    payloads :group {
      log @35 :Data;
      indices @36 :List(UInt64);
      payloads @37 :Data;
    }
    joinRequest :group {
      certificate @38 :Data;
      profile @39 :Data;
    }
    joinWaiting @40 :Text;
    joinGranted :group {
      decision @41 :Data;
      networkSecret @42 :Data;
      spaceKeyG @43 :Data;
      spaceKeyR @44 :Data;
    }
    ping @45 :Data;
    pong @46 :Data;
    evidence @47 :Text;
    agreed :group {
      log @48 :Data;
      size @49 :UInt64;
      root @50 :Data;
      cosignatures @51 :List(Cosignature);
      paths @52 :List(Data);
    }
    unasked @53 :List(Data);
  }
}
