@0xb7d2f6a1c9e84d35;

# Records and statements: what is signed, stored and hashed. Filled in by the record codec.

struct Record {
  nonce @0 :Data;
}
