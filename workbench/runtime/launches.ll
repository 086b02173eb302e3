; Launches in a row, their blocks shared between the host thread that leads and those that follow.
; `following.py` has the words of a call, of a row's head, of an entry and of a follower's box.
; PAUSE and DECLARED are the processor's instruction for who waits.

; What a box says: free 0, claimed 1, posted 2, taken 3, asleep 4.
; A follower goes from free to asleep, from posted to taken and back to free; a leader claims what
; is free or asleep, posts it, and takes back what nobody took.

; One function for all: `what` is 0 to post, 1 to lead, 2 to end, 3 to follow.
define i64 @launches(ptr %words, i64 %what) {
  switch i64 %what, label %follow [i64 0, label %post i64 1, label %lead i64 2, label %end]
post:
  %asleep = call i64 @post(ptr %words)
  ret i64 %asleep
lead:
  call void @lead(ptr %words)
  ret i64 0
end:
  call void @end(ptr %words)
  ret i64 0
follow:
  call void @follow(ptr %words)
  ret i64 0
}

; Ask followers to come; gives those that have to be woken, a bit for each.
define internal i64 @post(ptr %call) {
  %head = load ptr, ptr %call
  %entries.at = getelementptr i64, ptr %call, i64 1
  %entries = load ptr, ptr %entries.at
  %boxes.at = getelementptr i64, ptr %call, i64 6
  %boxes = load ptr, ptr %boxes.at
  %total.at = getelementptr i64, ptr %call, i64 7
  %total = load i64, ptr %total.at
  %claimed.at = getelementptr i64, ptr %call, i64 8
  store atomic i64 1, ptr %head seq_cst, align 8
  br label %next
next:
  %i = phi i64 [0, %0], [%i.next, %after]
  %mine = phi i64 [0, %0], [%mine.next, %after]
  %asleep = phi i64 [0, %0], [%asleep.next, %after]
  %more = icmp slt i64 %i, %total
  br i1 %more, label %claim, label %out
claim:
  %bit = shl i64 1, %i
  %word = mul i64 %i, 16
  %box = getelementptr i64, ptr %boxes, i64 %word
  %a = cmpxchg ptr %box, i64 0, i64 1 seq_cst seq_cst
  %free = extractvalue { i64, i1 } %a, 1
  br i1 %free, label %fill, label %wake
wake:
  %b = cmpxchg ptr %box, i64 4, i64 1 seq_cst seq_cst
  %sleeps = extractvalue { i64, i1 } %b, 1
  br i1 %sleeps, label %fill, label %after
fill:
  %also = phi i64 [0, %claim], [%bit, %wake]
  %head.at = getelementptr i64, ptr %box, i64 1
  store ptr %head, ptr %head.at
  %entries.of = getelementptr i64, ptr %box, i64 2
  store ptr %entries, ptr %entries.of
  store atomic i64 2, ptr %box seq_cst, align 8
  br label %after
after:
  %one = phi i64 [0, %wake], [%bit, %fill]
  %two = phi i64 [0, %wake], [%also, %fill]
  %mine.next = or i64 %mine, %one
  %asleep.next = or i64 %asleep, %two
  %i.next = add i64 %i, 1
  br label %next
out:
  store i64 %mine, ptr %claimed.at
  ret i64 %asleep
}

; The leader: one launch after the other, then the end.
define internal void @lead(ptr %call) {
  %head = load ptr, ptr %call
  %entries.at = getelementptr i64, ptr %call, i64 1
  %entries = load ptr, ptr %entries.at
  %first.at = getelementptr i64, ptr %call, i64 2
  %first = load i64, ptr %first.at
  %last.at = getelementptr i64, ptr %call, i64 3
  %last = load i64, ptr %last.at
  %scratch.at = getelementptr i64, ptr %call, i64 4
  %scratch = load ptr, ptr %scratch.at
  %yield.at = getelementptr i64, ptr %call, i64 5
  %yield = load ptr, ptr %yield.at
  %current = getelementptr i64, ptr %head, i64 32
  br label %step
step:
  %i = phi i64 [%first, %0], [%i.next, %done]
  %more = icmp slt i64 %i, %last
  br i1 %more, label %launch, label %close
launch:
  %word = mul i64 %i, 16
  %e = getelementptr i64, ptr %entries, i64 %word
  %fn = load ptr, ptr %e
  %args.at = getelementptr i64, ptr %e, i64 1
  %args = load ptr, ptr %args.at
  %blocks.at = getelementptr i64, ptr %e, i64 2
  %blocks = load i64, ptr %blocks.at
  %grain.at = getelementptr i64, ptr %e, i64 3
  %grain = load i64, ptr %grain.at
  %start.at = getelementptr i64, ptr %e, i64 4
  %start = load i64, ptr %start.at
  %alone = icmp sge i64 %grain, %blocks
  br i1 %alone, label %serial, label %shared
serial:
  %end = add i64 %start, %blocks
  call void %fn(ptr %args, i64 %start, i64 %end, ptr %scratch)
  br label %done
shared:
  store atomic i64 %i, ptr %current release, align 8
  call void @share(ptr %e, ptr %scratch, i64 1)
  %finished.at = getelementptr i64, ptr %e, i64 9
  br label %wait
wait:
  %n = phi i64 [1, %shared], [%n.next, %waiting]
  %finished = load atomic i64, ptr %finished.at acquire, align 8
  %all = icmp sge i64 %finished, %blocks
  br i1 %all, label %clean, label %waiting
waiting:
  call void @breathe(i64 %n, ptr %yield)
  %n.next = add i64 %n, 1
  br label %wait
clean:
  store atomic i64 -1, ptr %current release, align 8
  br label %done
done:
  %i.next = add i64 %i, 1
  br label %step
close:
  call void @end(ptr %call)
  br label %reset
reset:
  %r = phi i64 [%first, %close], [%r.next, %again]
  %unset = icmp slt i64 %r, %last
  br i1 %unset, label %again, label %out
again:
  %r.word = mul i64 %r, 16
  %r.e = getelementptr i64, ptr %entries, i64 %r.word
  %r.next.at = getelementptr i64, ptr %r.e, i64 8
  store i64 0, ptr %r.next.at
  %r.done.at = getelementptr i64, ptr %r.e, i64 9
  store i64 0, ptr %r.done.at
  %r.next = add i64 %r, 1
  br label %reset
out:
  ret void
}

; Nobody may take a box of this call now, and who did has left when this returns. What nobody took
; is taken back while the row is open: until then nobody leaves, so that a box still is this call's.
define internal void @end(ptr %call) {
  %head = load ptr, ptr %call
  %yield.at = getelementptr i64, ptr %call, i64 5
  %yield = load ptr, ptr %yield.at
  %boxes.at = getelementptr i64, ptr %call, i64 6
  %boxes = load ptr, ptr %boxes.at
  %claimed.at = getelementptr i64, ptr %call, i64 8
  %claimed = load i64, ptr %claimed.at
  store i64 0, ptr %claimed.at
  %left.at = getelementptr i64, ptr %head, i64 16
  br label %next
next:
  %rest = phi i64 [%claimed, %0], [%rest.next, %withdraw]
  %taken = phi i64 [0, %0], [%taken.next, %withdraw]
  %some = icmp ne i64 %rest, 0
  br i1 %some, label %withdraw, label %shut
withdraw:
  %i = call i64 @llvm.cttz.i64(i64 %rest, i1 true)
  %less = sub i64 %rest, 1
  %rest.next = and i64 %rest, %less
  %word = mul i64 %i, 16
  %box = getelementptr i64, ptr %boxes, i64 %word
  %a = cmpxchg ptr %box, i64 2, i64 0 seq_cst seq_cst
  %back = extractvalue { i64, i1 } %a, 1
  %one = select i1 %back, i64 0, i64 1
  %taken.next = add i64 %taken, %one
  br label %next
shut:
  store atomic i64 0, ptr %head seq_cst, align 8
  br label %wait
wait:
  %n = phi i64 [1, %shut], [%n.next, %crowd]
  %left = load atomic i64, ptr %left.at seq_cst, align 8
  %gone = icmp sge i64 %left, %taken
  br i1 %gone, label %out, label %crowd
crowd:
  call void @breathe(i64 %n, ptr %yield)
  %n.next = add i64 %n, 1
  br label %wait
out:
  store atomic i64 0, ptr %left.at seq_cst, align 8
  ret void
}

; A follower: whatever is posted in its box, until nothing has come for a while.
define internal void @follow(ptr %box) {
  %yield.at = getelementptr i64, ptr %box, i64 4
  %yield = load ptr, ptr %yield.at
  %patience.at = getelementptr i64, ptr %box, i64 5
  %patience = load i64, ptr %patience.at
  br label %look
look:
  %k = phi i64 [1, %0], [%k.next, %idle], [1, %taken], [1, %tired]
  %state = load atomic i64, ptr %box acquire, align 8
  %posted = icmp eq i64 %state, 2
  br i1 %posted, label %take, label %idle
take:
  %a = cmpxchg ptr %box, i64 2, i64 3 seq_cst seq_cst
  %mine = extractvalue { i64, i1 } %a, 1
  br i1 %mine, label %taken, label %idle
taken:
  call void @help(ptr %box, ptr %yield)
  store atomic i64 0, ptr %box seq_cst, align 8
  br label %look
idle:
  call void @breathe(i64 %k, ptr %yield)
  %k.next = add i64 %k, 1
  %waits = icmp slt i64 %k, %patience
  br i1 %waits, label %look, label %tired
tired:
  %b = cmpxchg ptr %box, i64 0, i64 4 seq_cst seq_cst
  %sleeps = extractvalue { i64, i1 } %b, 1
  br i1 %sleeps, label %out, label %look
out:
  ret void
}

; Whichever launch is due, until the row is closed.
define internal void @help(ptr %box, ptr %yield) {
  %head.at = getelementptr i64, ptr %box, i64 1
  %head = load ptr, ptr %head.at
  %entries.at = getelementptr i64, ptr %box, i64 2
  %entries = load ptr, ptr %entries.at
  %scratch.at = getelementptr i64, ptr %box, i64 3
  %scratch = load ptr, ptr %scratch.at
  %current = getelementptr i64, ptr %head, i64 32
  br label %look
look:
  %seen = phi i64 [-1, %0], [%seen, %idle], [%c, %join]
  %k = phi i64 [1, %0], [%k.next, %idle], [1, %join]
  %now = load atomic i64, ptr %head seq_cst, align 8
  %open = icmp ne i64 %now, 0
  br i1 %open, label %due, label %leave
due:
  %c = load atomic i64, ptr %current acquire, align 8
  %none = icmp slt i64 %c, 0
  %same = icmp eq i64 %c, %seen
  %nothing = or i1 %none, %same
  br i1 %nothing, label %idle, label %join
idle:
  call void @breathe(i64 %k, ptr %yield)
  %k.next = add i64 %k, 1
  br label %look
join:
  %word = mul i64 %c, 16
  %e = getelementptr i64, ptr %entries, i64 %word
  call void @share(ptr %e, ptr %scratch, i64 4294967296)
  br label %look
leave:
  %left.at = getelementptr i64, ptr %head, i64 16
  %left = atomicrmw add ptr %left.at, i64 1 seq_cst
  ret void
}

; The leader takes pieces from the front, followers from the back: what one of them has stored is
; in its own cache when it reads that part in the next launch.
define internal void @share(ptr %e, ptr %scratch, i64 %step) {
  %fn = load ptr, ptr %e
  %args.at = getelementptr i64, ptr %e, i64 1
  %args = load ptr, ptr %args.at
  %blocks.at = getelementptr i64, ptr %e, i64 2
  %blocks = load i64, ptr %blocks.at
  %grain.at = getelementptr i64, ptr %e, i64 3
  %grain = load i64, ptr %grain.at
  %start.at = getelementptr i64, ptr %e, i64 4
  %start = load i64, ptr %start.at
  %next.at = getelementptr i64, ptr %e, i64 8
  %finished.at = getelementptr i64, ptr %e, i64 9
  %more = add i64 %blocks, %grain
  %filled = sub i64 %more, 1
  %pieces = sdiv i64 %filled, %grain
  %leads = icmp eq i64 %step, 1
  br label %take
take:
  %old = atomicrmw add ptr %next.at, i64 %step acq_rel
  %front = and i64 %old, 4294967295
  %back = lshr i64 %old, 32
  %taken = add i64 %front, %back
  %have = icmp slt i64 %taken, %pieces
  br i1 %have, label %run, label %out
run:
  %behind = sub i64 %pieces, %back
  %from.back = sub i64 %behind, 1
  %piece = select i1 %leads, i64 %front, i64 %from.back
  %b = mul i64 %piece, %grain
  %up = add i64 %b, %grain
  %over = icmp sgt i64 %up, %blocks
  %stop = select i1 %over, i64 %blocks, i64 %up
  %from = add i64 %start, %b
  %to = add i64 %start, %stop
  call void %fn(ptr %args, i64 %from, i64 %to, ptr %scratch)
  %count = sub i64 %stop, %b
  %sum = atomicrmw add ptr %finished.at, i64 %count acq_rel
  br label %take
out:
  ret void
}

; A moment's rest; from time to time another process gets the processor.
define internal void @breathe(i64 %n, ptr %yield) {
  PAUSE
  %low = and i64 %n, 255
  %often = icmp ne i64 %low, 0
  %without = icmp eq ptr %yield, null
  %skip = or i1 %often, %without
  br i1 %skip, label %out, label %rest
rest:
  %ignored = call i32 %yield()
  br label %out
out:
  ret void
}

declare i64 @llvm.cttz.i64(i64, i1)
DECLARED
