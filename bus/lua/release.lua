-- Give a lease up. Reply: 1 if the holder had it.
--
-- KEYS[1] the lease. ARGV: the holder. What another one holds is left to it.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
