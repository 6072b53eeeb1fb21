--[[
  Removes from the index the row of a session that is gone.

  KEYS[1]  zset    the index
  ARGV[1]  string  the session
  ARGV[2]  number  the row's score when the session was looked at

  Returns { 'unlisted' } or { 'newer' } when the row was written again since then: the session exists again.
  Errors  none of its own.

  The index and the session live in different slots, so no script can look at both.
]]
local index = KEYS[1]
local session, score = ARGV[1], tonumber(ARGV[2])

if tonumber(redis.call('ZSCORE', index, session)) ~= score then
  return { 'newer' }
end
redis.call('ZREM', index, session)
return { 'unlisted' }
