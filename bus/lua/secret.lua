-- Keep a secret, unless one is kept. Reply: the one that is kept.
--
-- KEYS[1] the secret. ARGV: its value if there is none.

redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
