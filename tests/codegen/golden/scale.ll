; scale: 128 threads a block, 8 at a time

define void @wb.scale(ptr %args, i64 %first, i64 %last, ptr noalias %scratch) {
entry:
  %block.3 = alloca i64, align 64
  %t.1 = getelementptr ptr, ptr %args, i64 0
  %a.p0 = load ptr, ptr %t.1
  %t.2 = getelementptr ptr, ptr %args, i64 1
  %b.p1 = load ptr, ptr %t.2
  store i64 %first, ptr %block.3
  br label %blocks.4
blocks.4:
  %block.8 = load i64, ptr %block.3
  %t.9 = icmp slt i64 %block.8, %last
  br i1 %t.9, label %block.5, label %done.7
block.5:
  %t.10 = trunc i64 %block.8 to i32
  %t.11 = udiv i32 %t.10, 4
  br label %regions.15
regions.15:
  br label %region.13
region.13:
  %group.16 = phi i32 [ 0, %regions.15 ], [ %group.17, %group_end.14 ]
  %t.18 = mul i32 %group.16, 8
  %t.19 = mul i32 %t.10, 128
  %t.20 = add i32 %t.19, %t.18
  %t.21 = sext i32 %t.20 to i64
  %p.22 = getelementptr float, ptr %a.p0, i64 %t.21
  %t.23 = load <8 x float>, ptr %p.22, align 4, !alias.scope !3, !noalias !5
  %t.24 = fmul contract <8 x float> %t.23, splat (float 0x4000000000000000)
  %t.25 = fadd contract <8 x float> %t.24, splat (float 0x3FF0000000000000)
  %p.26 = getelementptr float, ptr %b.p1, i64 %t.21
  store <8 x float> %t.25, ptr %p.26, align 4, !alias.scope !4, !noalias !6
  br label %group_end.14
group_end.14:
  %group.17 = add nuw nsw i32 %group.16, 1
  %t.27 = icmp ult i32 %group.17, 16
  br i1 %t.27, label %region.13, label %region_end.12
region_end.12:
  br label %next_block.6
next_block.6:
  %t.28 = add i64 %block.8, 1
  store i64 %t.28, ptr %block.3
  br label %blocks.4
done.7:
  ret void
}


!0 = distinct !{!0, !"tensors"}
!1 = distinct !{!1, !0, !"a"}
!2 = distinct !{!2, !0, !"b"}
!3 = !{!1}
!4 = !{!2}
!5 = !{!2}
!6 = !{!1}
