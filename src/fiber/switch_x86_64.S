/* System V ABI, x86-64. A suspended stack holds, from its stack pointer upwards:
 *   mxcsr and x87 control word (8 bytes), r15, r14, r13, r12, rbx, rbp, return address.
 * The signal mask is not part of a context: no system call is made. */

        .text

/* void switch_to(void **ret_from %rdi, void *to %rsi) */
        .globl  switch_to
        .hidden switch_to
        .type   switch_to, @function
        .p2align 4
switch_to:
        .cfi_startproc
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbp, 0
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %rbx, 0
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r12, 0
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r13, 0
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r14, 0
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset %r15, 0
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)

        /* Both stacks look the same here, so the unwind rules stay true. */
        movq    %rsp, (%rdi)
        movq    %rsi, %rsp

        ldmxcsr (%rsp)
        fldcw   4(%rsp)
        addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r15
        popq    %r14
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r14
        popq    %r13
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r13
        popq    %r12
        .cfi_adjust_cfa_offset -8
        .cfi_restore %r12
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbx
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        .cfi_restore %rbp
        /* A ret would be predicted to go back to our own caller, always wrongly. */
        popq    %rcx
        .cfi_adjust_cfa_offset -8
        .cfi_register %rip, %rcx
        jmpq    *%rcx
        .cfi_endproc
        .size   switch_to, . - switch_to

/* void *switch_prepare(void *stack %rdi, size_t size %rsi, entry %rdx, data %rcx) */
        .globl  switch_prepare
        .hidden switch_prepare
        .type   switch_prepare, @function
        .p2align 4
switch_prepare:
        .cfi_startproc
        leaq    (%rdi, %rsi), %rax
        andq    $-16, %rax
        subq    $80, %rax
        stmxcsr (%rax)
        fnstcw  4(%rax)
        xorl    %esi, %esi
        movq    %rsi, 8(%rax)
        movq    %rsi, 16(%rax)
        movq    %rsi, 24(%rax)
        movq    %rcx, 32(%rax)
        movq    %rdx, 40(%rax)
        movq    %rsi, 48(%rax)
        leaq    switch_start(%rip), %rdx
        movq    %rdx, 56(%rax)
        movq    %rsi, 64(%rax)
        movq    %rsi, 72(%rax)
        ret
        .cfi_endproc
        .size   switch_prepare, . - switch_prepare

/* The outermost frame of every prepared stack: unwinders stop here. */
        .type   switch_start, @function
        .p2align 4
switch_start:
        .cfi_startproc
        .cfi_undefined %rip
        .cfi_undefined %rbp
        movq    %r12, %rdi
        callq   *%rbx
        ud2
        .cfi_endproc
        .size   switch_start, . - switch_start

        .section .note.GNU-stack, "", @progbits
