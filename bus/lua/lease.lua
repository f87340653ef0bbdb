-- Take or renew a lease. Reply: 1 if the holder has it now, 0 if another one does.
--
-- KEYS[1] the lease. ARGV: the holder, and for how many milliseconds. A retry gets 1 again.

local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
